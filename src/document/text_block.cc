#include "document/text_block.h"

#include <algorithm>

namespace headrace::document {

Error MalformedLine(size_t line, std::string message) {
  return Error(ErrorKind::kCorruption, "HR3002", std::move(message))
      .AtPlace("line " + std::to_string(line))
      .WithHint("save the model again with the library that trained it");
}

std::optional<std::string_view> LineReader::Peek() const {
  if (at_ >= text_.size()) return std::nullopt;
  std::string_view line = text_.substr(at_, text_.substr(at_).find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::optional<std::string_view> LineReader::Next() {
  const std::optional<std::string_view> line = Peek();
  if (line) {
    const size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    ++line_;
  }
  return line;
}

std::string_view TakeWord(std::string_view* text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t start = std::min(text->find_first_not_of(kBlanks), text->size());
  const size_t end = std::min(text->find_first_of(kBlanks, start), text->size());
  const std::string_view word = text->substr(start, end - start);
  text->remove_prefix(end);
  return word;
}

Result<TextBlock> TextBlock::Read(LineReader* reader) {
  TextBlock block;
  block.first_line_ = reader->line() + 1;
  for (std::optional<std::string_view> line = reader->Peek(); line; line = reader->Peek()) {
    if (line->starts_with("Tree=") || line->starts_with("end of trees")) break;
    reader->Next();
    if (line->empty()) continue;
    const size_t equals = line->find('=');
    const std::string_view key = line->substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : line->substr(equals + 1);
    if (block.Has(key)) {
      return MalformedLine(reader->line(), "a key occurs twice: " + std::string(key.substr(0, 40)));
    }
    constexpr size_t kKeysMax = 64;  // the format has some 25
    if (block.entries_.size() == kKeysMax) {
      return MalformedLine(reader->line(), "more keys than the format has");
    }
    block.entries_.push_back({key, value, reader->line()});
  }
  return block;
}

const TextBlock::Entry* TextBlock::Find(std::string_view key) const {
  auto found = std::find_if(entries_.begin(), entries_.end(),
                            [key](const Entry& entry) { return entry.key == key; });
  return found == entries_.end() ? nullptr : &*found;
}

Result<const TextBlock::Entry*> TextBlock::Get(std::string_view key) const {
  const Entry* entry = Find(key);
  if (entry == nullptr) {
    return MalformedLine(first_line_, "the line " + std::string(key) + "= is missing");
  }
  return entry;
}

Result<std::string_view> TextBlock::Text(std::string_view key) const {
  HR_ASSIGN(const Entry* entry, Get(key));
  return entry->value;
}

Result<int32_t> TextBlock::Integer(std::string_view key) const {
  HR_ASSIGN(const std::vector<int32_t> numbers, Numbers<int32_t>(key, 1));
  return numbers[0];
}

Result<int32_t> TextBlock::IntegerOr(std::string_view key, int32_t otherwise) const {
  return Has(key) ? Integer(key) : Result<int32_t>(otherwise);
}

}  // namespace headrace::document
