#include "base/arena.h"

#include <algorithm>

namespace headrace::base {

void Arena::Reset() {
  current_ = 0;
  next_ = end_ = nullptr;
  if (!blocks_.empty()) {
    next_ = blocks_[0].bytes.get();
    end_ = next_ + blocks_[0].size;
    current_ = 1;
  }
}

void Arena::Grow(size_t at_least) {
  while (current_ < blocks_.size() && blocks_[current_].size < at_least)
    ++current_;
  if (current_ == blocks_.size()) {
    size_t size = std::max(block_size_, at_least);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    reserved_ += size;
  }
  next_ = blocks_[current_].bytes.get();
  end_ = next_ + blocks_[current_].size;
  ++current_;
}

}  // namespace headrace::base
