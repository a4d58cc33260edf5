#include "http/streams/key_waiters.hpp"

#include <mutex>
#include <utility>

namespace herald {

/// The way into an inbox that may be gone when somebody wants to go it.
class key_waiters::relay {
public:
  explicit relay(loop_inbox& inbox) : inbox_(&inbox) {}

  void put(loop_order order) {
    const std::lock_guard lock{mutex_};
    if (inbox_ != nullptr)
      inbox_->put(std::move(order));
  }
  void close() {
    const std::lock_guard lock{mutex_};
    inbox_ = nullptr;
  }

private:
  std::mutex mutex_;
  loop_inbox* inbox_;
};

key_waiters::key_waiters(loop_inbox& inbox) : relay_(std::make_shared<relay>(inbox)) {}

key_waiters::~key_waiters() {
  relay_->close();
}

std::function<void(loop_order)> key_waiters::way() const {
  return [way = relay_](loop_order order) {
    way->put(std::move(order));
  };
}

token_judge::fetch_over key_waiters::next() {
  return [way = relay_, number = ++last_](bool final) {
    way->put(keys_fetched{number, final});
  };
}

std::optional<key_waiters::waiter> key_waiters::take(const keys_fetched& order) {
  const auto found = waiting_.find(order.number);
  if (found == waiting_.end())
    return std::nullopt;
  auto taken = std::move(found->second);
  waiting_.erase(found);
  return taken;
}

} // namespace herald
