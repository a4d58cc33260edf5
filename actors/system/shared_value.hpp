#pragma once

#include <memory>
#include <utility>

namespace herald {

/// A value that many threads read, and that is replaced as a whole. Who reads keeps what there was.
/// Copies are the same value. Safe from any thread.
template <class T>
class shared_value {
public:
  shared_value() : shared_value(T{}) {}
  // Where a value is wanted that does not change, it is one.
  shared_value(T first) : place_(std::make_shared<place>()) { replace(std::move(first)); } // NOLINT

  [[nodiscard]] std::shared_ptr<const T> read() const { return std::atomic_load(&place_->now); }
  void replace(T next) const {
    std::atomic_store(&place_->now, std::shared_ptr<const T>{std::make_shared<T>(std::move(next))});
  }

private:
  struct place {
    std::shared_ptr<const T> now;
  };
  std::shared_ptr<place> place_;
};

} // namespace herald
