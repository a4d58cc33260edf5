#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include <curl/curl.h>

namespace herald {

/// What libcurl made, and how it is freed.
struct free_easy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct free_list {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using easy_handle = std::unique_ptr<CURL, free_easy>;
using header_lines = std::unique_ptr<curl_slist, free_list>;

/// libcurl's own state, for as long as the process lives. Throws `std::bad_alloc`, as all here does
/// where libcurl has no more to say.
inline void initialize_libcurl() {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK)
    throw std::bad_alloc{};
}

[[nodiscard]] inline easy_handle make_easy() {
  easy_handle made{curl_easy_init()};
  if (!made)
    throw std::bad_alloc{};
  return made;
}

/// Options fail for want of memory, or for one that this libcurl does not have.
template <class Value>
void set_option(const easy_handle& easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy.get(), option, value) != CURLE_OK)
    throw std::bad_alloc{};
}

/// The answer of a callback of libcurl that is given `size` bytes: all of them where `take` takes
/// them, otherwise none, which ends the transfer. So does what `take` throws, which is noted in
/// `no_memory`: the frames behind the callback are C, and nothing may be thrown through them.
template <class Take>
[[nodiscard]] std::size_t answer_libcurl(std::size_t size, bool& no_memory, Take take) noexcept {
  try {
    return take() ? size : 0;
  } catch (...) {
    no_memory = true;
    return 0;
  }
}

} // namespace herald
