// Runs every fuzz target, without libFuzzer, over its corpus and over some thousand mutations of it
// that are the same each time. Finds little that is new; holds what was found.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fuzz/target.hpp"

namespace herald::fuzz {
namespace {

constexpr std::size_t mutations = 4000;
constexpr std::size_t longest = 4096;

/// One line of a corpus, as corpus.py writes it.
std::string unescaped(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      text += line[i];
      continue;
    }
    switch (const char code = line.at(++i)) {
    case 'r':
      text += '\r';
      break;
    case 'n':
      text += '\n';
      break;
    case 't':
      text += '\t';
      break;
    case 'x':
      text += static_cast<char>(std::stoi(std::string{line.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
      break;
    default:
      text += code;
    }
  }
  return text;
}

std::vector<std::string> corpus_of(std::string_view name) {
  std::ifstream file{
    std::string{HERALD_SOURCE_DIR "/tests/fuzz/corpus/"}.append(name).append(".txt")};
  std::vector<std::string> inputs;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#')
      inputs.push_back(unescaped(line));
  return inputs;
}

/// Changes texts a little, the same way each time.
class mutator {
public:
  explicit mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    auto text = corpus_[below(corpus_.size())];
    for (auto changes = 1 + below(4); changes > 0; --changes)
      change(text);
    text.resize(std::min(text.size(), longest));
    return text;
  }

private:
  std::size_t below(std::size_t n) { return random_() % n; }

  void change(std::string& text) {
    static const std::vector<std::string> tokens = {
      "\r\n",
      "\n",
      "\"",
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      " ",
      "%",
      "%0a",
      "+",
      "&",
      "?",
      "#",
      "\\u0000",
      "\\ud800",
      "1e999",
      "-0",
      "null",
      "true",
      "0",
      std::string(1, '\0'),
      "\xff",
      "\xe2\x80",
      "\xf0\x9f\x98\x80",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Host: h\r\n",
      "data: ",
      "event: ",
      "id: ",
      "ffffffffffffffff",
      "18446744073709551615"};
    const auto at = below(text.size() + 1);
    switch (below(6)) {
    case 0:
      text.insert(at, tokens[below(tokens.size())]);
      return;
    case 1:
      text.erase(at, 1 + below(8));
      return;
    case 2:
      if (at < text.size())
        text[at] = static_cast<char>(below(256));
      return;
    case 3:
      if (at < text.size())
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      return;
    case 4:
      text.insert(at, text.substr(below(text.size() + 1), 1 + below(20)));
      return;
    default:
      const auto& other = corpus_[below(corpus_.size())];
      text = text.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }

  const std::vector<std::string>& corpus_;
  std::minstd_rand random_{4711};
};

class FuzzTarget : public ::testing::TestWithParam<target> {
protected:
  /// False, with the input kept in a file, if the target has found something.
  bool holds(const std::string& input) {
    try {
      GetParam().run(input);
      return true;
    } catch (const std::exception& e) {
      const auto file =
        std::filesystem::temp_directory_path() / ("finding-" + std::string{GetParam().name});
      std::ofstream{file, std::ios::binary} << input;
      ADD_FAILURE() << e.what() << "; the input is in " << file;
      return false;
    }
  }
};

TEST_P(FuzzTarget, HoldsForItsCorpusAndWhatIsNearIt) {
  const auto corpus = corpus_of(GetParam().name);
  ASSERT_FALSE(corpus.empty());
  ASSERT_TRUE(holds(""));
  for (const auto& input : corpus)
    ASSERT_TRUE(holds(input));
  mutator change{corpus};
  for (std::size_t i = 0; i < mutations; ++i)
    ASSERT_TRUE(holds(change.next()));
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTarget, ::testing::ValuesIn(targets()), [](const auto& info) {
  return std::string{info.param.name};
});

} // namespace
} // namespace herald::fuzz
