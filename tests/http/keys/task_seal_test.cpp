#include "http/keys/task_seal.hpp"

#include <set>
#include <stdexcept>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using testing::temporary_folder;
using testing::text_of;

const task_id sealed_task{"11111111-2222-4333-8444-555555555555"};

TEST(TaskSeal, GivesATokenThatIsGoodForOneTaskAlone) {
  const task_seal seal{random_secret()};
  const auto token = seal.token_of(sealed_task);
  EXPECT_EQ(token.size(), task_token_prefix.size() + 43);
  EXPECT_TRUE(seal.is_token_of(token, sealed_task));
  EXPECT_EQ(seal.token_of(sealed_task), token);
  EXPECT_FALSE(seal.is_token_of(token, task_id{"11111111-2222-4333-8444-555555555556"}));
  EXPECT_FALSE(seal.is_token_of(token + "x", sealed_task));
  EXPECT_FALSE(seal.is_token_of({}, sealed_task));
  EXPECT_FALSE(task_seal{random_secret()}.is_token_of(token, sealed_task));
}

TEST(TaskSeal, GivesIdsThatSayWhoseTheyAre) {
  const task_seal seal{random_secret()};
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto id = seal.id_for("shop", std::nullopt);
    ASSERT_EQ(id.str().size(), 36u);
    EXPECT_EQ(id.str()[14], '8');
    EXPECT_EQ(id.str()[19], '8');
    EXPECT_TRUE(seen.insert(id.str()).second);
    EXPECT_TRUE(seal.is_of(id, "shop"));
    EXPECT_FALSE(seal.is_of(id, "sho"));
    EXPECT_FALSE(seal.is_of(id, ""));
    EXPECT_FALSE(task_seal{random_secret()}.is_of(id, "shop"));
  }
}

TEST(TaskSeal, KnowsNobodyInOtherIds) {
  const task_seal seal{random_secret()};
  auto id = seal.id_for("shop", std::nullopt).str();
  for (std::size_t i = 0; i < id.size(); ++i) {
    auto other = id;
    other[i] = other[i] == 'a' ? 'b' : 'a';
    // The digit of the version is what it is.
    if (i != 14) {
      EXPECT_FALSE(seal.is_of(task_id{other}, "shop")) << other;
    }
  }
  for (const auto* text : {"", "x", "11111111-2222-4333-8444-555555555555", "----"})
    EXPECT_FALSE(seal.is_of(task_id{text}, "shop")) << text;
}

TEST(TaskSeal, GivesTheSameIdForTheSameSeed) {
  const task_seal seal{random_secret()};
  const auto id = seal.id_for("shop", "seed");
  EXPECT_EQ(seal.id_for("shop", "seed"), id);
  EXPECT_NE(seal.id_for("shop", "weed"), id);
  EXPECT_NE(seal.id_for("ops", "seed"), id);
  EXPECT_TRUE(seal.is_of(id, "shop"));
}

TEST(SecretIn, IsMadeOnceAndBelongsToNobodyElse) {
  const temporary_folder folder;
  const auto file = (folder / "secret").string();
  const auto secret = secret_in(file);
  EXPECT_EQ(secret_in(file), secret);
  EXPECT_EQ(text_of(file).size(), 32u);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const auto mode : {0644U, 0640U, 0620U, 0604U, 0602U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_EQ(secret_in(file), secret);
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << std::oct << mode;
  }
}

TEST(SecretIn, IsMadeWhereOneIsHalfWritten) {
  const temporary_folder folder;
  const auto file = (folder / "secret").string();
  const auto draft = folder.write("secret.new", "abc");
  const auto secret = secret_in(file);
  EXPECT_EQ(secret_in(file), secret);
  EXPECT_NE(::access(draft.c_str(), F_OK), 0) << "nor is anything left of it";
}

TEST(SecretIn, IsRefusedWhereItIsNotOne) {
  const temporary_folder folder;
  const auto why = [](const std::string& file) {
    try {
      (void)secret_in(file);
    } catch (const std::runtime_error& e) {
      return std::string{e.what()};
    }
    return std::string{};
  };
  EXPECT_NE(why(folder.write("short", "abc")).find("must have 32 bytes"), std::string::npos);
  EXPECT_NE(why(folder.path().string()).find("must be a file"), std::string::npos);
  EXPECT_NE(why((folder / "no/such").string()).find("cannot be written"), std::string::npos);
  auto others = folder.write("others", std::string(32, 'x'));
  if (::geteuid() != 0)
    others = "/etc/passwd";
  else
    ASSERT_EQ(::chown(others.c_str(), 65534, 65534), 0);
  EXPECT_NE(why(others).find("must be a file of the user"), std::string::npos);
  const auto target = folder.write("target", std::string(32, 'x'));
  const auto link = (folder / "link").string();
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  EXPECT_NE(why(link).find("cannot be read"), std::string::npos);
}

} // namespace
} // namespace herald
