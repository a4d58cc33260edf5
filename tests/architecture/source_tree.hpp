#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace herald::testing {

/// A source file as text.
struct source {
  /// From the root of the tree: "actors/telemetry/log.cpp".
  std::string path;
  /// Without comments that run to the line's end.
  std::vector<std::string> lines;

  /// "actors" of "actors/telemetry/log.cpp".
  [[nodiscard]] std::string top() const { return path.substr(0, path.find('/')); }
  /// "actors/telemetry" of it.
  [[nodiscard]] std::string folder() const { return path.substr(0, path.rfind('/')); }
  /// "actors/telemetry/log" of it.
  [[nodiscard]] std::string stem() const { return path.substr(0, path.rfind('.')); }
  [[nodiscard]] bool is_header() const { return path.ends_with(".hpp"); }
  [[nodiscard]] bool is_body() const { return path.ends_with(".cpp"); }
  [[nodiscard]] bool is_test() const { return path.ends_with("_test.cpp"); }

  /// What is included, with its quotes or brackets.
  [[nodiscard]] std::vector<std::string> includes() const;
  /// The paths of the own headers among them.
  [[nodiscard]] std::vector<std::string> own_includes() const;
};

/// Whether the tree has such a file.
[[nodiscard]] bool in_tree(const std::string& path);

/// The text of a file of the tree.
[[nodiscard]] std::string text_of(const std::string& path);

/// The sources in and below some folders of the tree, in the order of their paths.
[[nodiscard]] std::vector<source> sources(std::initializer_list<const char*> folders);

[[nodiscard]] inline std::vector<source> product() {
  return sources({"messages", "actors", "http"});
}

} // namespace herald::testing
