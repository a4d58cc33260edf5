#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace herald::testing {

/// A folder of its own for a test, gone with everything in it when the test is over.
class temporary_folder {
public:
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

  /// Writes a file, and gives its path.
  std::string write(std::string_view name, std::string_view text) const;

private:
  std::filesystem::path path_;
};

/// All of a file; nothing if there is none.
[[nodiscard]] std::string text_of(const std::filesystem::path& file);

} // namespace herald::testing
