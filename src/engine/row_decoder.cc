#include "engine/row_decoder.h"

#include <charconv>
#include <cstring>

namespace headrace::engine {
namespace {

constexpr size_t kPaddingBytes = 64;  // readable ones behind what JsonDecoder reads

int64_t Number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

RowDecoder::RowDecoder(const Deployment& deployment, const Deployed& item)
    : item_(item), schema_(deployment.SchemaOf(item)), values_(schema_.columns.size()) {
  if (item.source) {
    source_ = std::make_unique<flow::SourceNode>(item.source);
  } else if (item.statement) {
    decoder_ = std::make_unique<schema::JsonDecoder>(schema_, schema::JsonOptions{});
  }
}

Result<bool> RowDecoder::Decode(const StoredRow& stored, row::Value** values) {
  batch_.Clear();
  if (source_) return DecodeSource(stored, values);
  *values = values_.data();
  if (!decoder_) {
    DecodeDead(stored);
    return true;
  }
  HR_TRY(Checked(decoder_->Decode(stored.value, false, batch_.arena(), values_.data()), stored));
  return true;
}

Status RowDecoder::DecodeInto(const StoredRow& stored, base::Arena& arena, row::Value* values) {
  HR_CHECK(decoder_ != nullptr);
  // Texts point into what is decoded.
  const size_t size = stored.value.size();
  char* bytes = arena.Allocate(size + kPaddingBytes);
  if (size > 0) std::memcpy(bytes, stored.value.data(), size);
  return Checked(decoder_->Decode({bytes, size}, true, arena, values), stored);
}

Status RowDecoder::Checked(const Status& decoded, const StoredRow& stored) const {
  if (decoded.ok()) return decoded;
  return Error(ErrorKind::kCorruption, "HR5305",
               "a stored row does not decode: " + decoded.error().ToString())
      .AtPlace(item_.name + ":" + std::to_string(stored.partition) + ":" +
               std::to_string(stored.offset));
}

Result<bool> RowDecoder::DecodeSource(const StoredRow& stored, row::Value** values) {
  Status admitted = source_->Admit(stored.value, false, stored.arrival_micros, batch_);
  if (!admitted.ok()) return false;
  const row::Value* slots = batch_.rows().front().values;
  for (size_t i = 0; i < values_.size(); ++i)
    values_[i] = slots[item_.source->schema_slots[i]];
  *values = values_.data();
  return true;
}

void RowDecoder::DecodeDead(const StoredRow& stored) {
  values_.assign(values_.size(), row::Value::Null());
  for (const auto& [key, value] : stored.headers) {
    if (key == "hr-code") values_[0] = row::Value::Text(value);
    if (key == "hr-reason") values_[1] = row::Value::Text(value);
    if (key == "hr-topic") values_[2] = row::Value::Text(value);
    if (key == "hr-partition") values_[3] = row::Value::Integer(Number(value));
    if (key == "hr-offset") values_[4] = row::Value::Integer(Number(value));
    if (key == "hr-pointer") values_[5] = row::Value::Text(value);
  }
  values_[6] = row::Value::Text(stored.value);
}

}  // namespace headrace::engine
