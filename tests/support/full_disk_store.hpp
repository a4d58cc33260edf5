#pragma once

#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>

#include "actors/journal/journal_file.hpp"

namespace herald::testing {

/// A journal's file on a disk that is full now and then: one of `odds` writes fails, while `well`
/// says nothing else.
class full_disk_store final : public journal_store {
public:
  full_disk_store(
    std::unique_ptr<journal_file> file, std::mt19937& random, unsigned odds,
    const bool* well = nullptr)
    : file_(std::move(file)),
      random_(random),
      odds_(odds),
      well_(well) {}

  failure write(std::span<const journal_entry> entries) override {
    if (!(well_ && *well_) && random_() % odds_ == 0)
      return {ec::storage_full, "no room today", {}};
    return file_->write(entries);
  }
  void tidy() override { file_->tidy(); }
  failure begin_copy(const std::string& name) override { return file_->begin_copy(name); }
  copy_progress copy_piece() override { return file_->copy_piece(); }
  [[nodiscard]] std::size_t bytes() const override { return file_->bytes(); }

private:
  std::unique_ptr<journal_file> file_;
  std::mt19937& random_;
  unsigned odds_;
  const bool* well_;
};

} // namespace herald::testing
