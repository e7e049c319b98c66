#include "cli/torture/script.h"

#include <charconv>

#include <simdjson.h>

#include "cli/torture/derived_model.h"

namespace headrace::cli::torture {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr uint64_t kFillerMax = 300;

// Some bytes, so that segments and journal files fill up; not the same for any two neighbours.
std::string Filler(const Event& event) {
  const uint64_t mixed = (event.producer * 31 + event.number) * uint64_t{0x9E3779B97F4A7C15};
  const std::string piece = std::to_string(mixed) + "/";
  std::string text;
  while (text.size() < mixed % kFillerMax)
    text += piece;
  return text;
}

void AppendMember(std::string_view name, int64_t number, std::string& out) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out += name;
  out += "\":" + std::to_string(number);
}

bool ReadNumber(const element& row, std::string_view name, int64_t* number) {
  return row[name].get(*number) == simdjson::SUCCESS;
}

bool ReadUnsigned(const element& row, std::string_view name, uint32_t* number) {
  int64_t wide = 0;
  if (!ReadNumber(row, name, &wide) || wide < 0 || wide > INT32_MAX) return false;
  *number = static_cast<uint32_t>(wide);
  return true;
}

// `STREAM:PARTITION:OFFSET`.
bool ReadId(const element& row, Stream stream, Place* place) {
  std::string_view id;
  if (row["_id"].get(id) != simdjson::SUCCESS) return false;
  const std::string prefix = std::string(ToString(stream)) + ":";
  if (!id.starts_with(prefix)) return false;
  const char* end = id.data() + id.size();
  auto [colon, bad] = std::from_chars(id.data() + prefix.size(), end, place->partition);
  if (bad != std::errc() || colon == end || *colon != ':') return false;
  auto [last, worse] = std::from_chars(colon + 1, end, place->offset);
  return worse == std::errc() && last == end;
}

bool HasFiller(const element& row, const Event& event) {
  std::string_view filler;
  return row["filler"].get(filler) == simdjson::SUCCESS && filler == Filler(event);
}

std::optional<Row> RowOf(Stream stream, const element& object) {
  Row row{stream, {}, {}, {}};
  Event& event = row.event;
  const bool read =
      ReadId(object, stream, &row.place) && ReadUnsigned(object, "producer", &event.producer) &&
      ReadUnsigned(object, "number", &event.number) && ReadNumber(object, "key", &event.key) &&
      ReadNumber(object, "amount", &event.amount) && ReadNumber(object, "at", &event.at);
  if (!read) return std::nullopt;
  const bool derived = stream == Stream::kCounted || stream == Stream::kOdd;
  if (derived) {
    if (!ReadNumber(object, "n", &row.numbers.count)) return std::nullopt;
    if (!ReadNumber(object, "total", &row.numbers.total)) return std::nullopt;
  } else if (!HasFiller(object, event)) {
    return std::nullopt;
  }
  if (stream == Stream::kOdd && !ReadNumber(object, "running", &row.numbers.running)) {
    return std::nullopt;
  }
  return row;
}

bool AppendPlaces(const element& placed, int64_t count, std::vector<Place>& places) {
  int64_t partition = 0;
  int64_t offset = 0;
  if (!ReadNumber(placed, "partition", &partition)) return false;
  if (!ReadNumber(placed, "first_offset", &offset)) return false;
  for (int64_t i = 0; i < count; ++i)
    places.push_back({static_cast<int32_t>(partition), offset + i});
  return true;
}

bool ReadPlaces(const element& document, Answer& answer) {
  array placed;
  if (document["placed"].get(placed) == simdjson::SUCCESS) {
    for (const element run : placed) {
      int64_t count = 0;
      if (!ReadNumber(run, "count", &count) || !AppendPlaces(run, count, answer.places)) {
        return false;
      }
    }
    return true;
  }
  // All in one run: how many of the accepted were repeats is not said then, and the caller knows
  // whether it sent any for the second time.
  element partition;
  if (document["partition"].get(partition) != simdjson::SUCCESS) return true;
  return AppendPlaces(document, static_cast<int64_t>(answer.accepted), answer.places);
}

}  // namespace

std::string Script() {
  const std::string columns =
      " (\n  producer BIGINT NOT NULL, number BIGINT NOT NULL, key BIGINT NOT NULL,\n"
      "  amount BIGINT NOT NULL, at BIGINT NOT NULL, filler TEXT NOT NULL, ts TIMESTAMPTZ NOT "
      "NULL,\n"
      "  WATERMARK FOR ts AS ts - INTERVAL '1 second'\n) PARTITION BY (key)\n";
  const std::string options =
      "  WITH (timestamp_unit = 'us', partitions = " + std::to_string(kPartitions) + ");\n";
  return "CREATE STREAM sent" + columns +
         "  DEDUPLICATE BY (producer, number) WITHIN INTERVAL '24 hours'\n" + options +
         "CREATE STREAM once" + columns + options +
         "CREATE STREAM counted AS\n"
         "SELECT producer, number, key, amount, at, ts, count(*) OVER w AS n, sum(amount) OVER w "
         "AS "
         "total\nFROM sent WINDOW w AS (PARTITION BY key ORDER BY ts\n"
         "  RANGE BETWEEN INTERVAL '" +
         std::to_string(kWindowMicros / 1'000'000) +
         " seconds' PRECEDING AND CURRENT ROW);\n"
         "CREATE STREAM odd AS\n"
         "SELECT producer, number, key, amount, at, ts, n, total,\n"
         "  count(*) OVER (PARTITION BY key ORDER BY ts) AS running\n"
         "FROM counted WHERE n % 2 = 1;\n";
}

std::string EncodeEvents(std::span<const Event> events, bool as_lines) {
  std::string out = as_lines ? "" : "[";
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    out += i == 0 ? "{" : as_lines ? "\n{" : ",{";
    AppendMember("producer", event.producer, out);
    AppendMember("number", event.number, out);
    AppendMember("key", event.key, out);
    AppendMember("amount", event.amount, out);
    AppendMember("at", event.at, out);
    AppendMember("ts", event.at, out);
    out += ",\"filler\":\"" + Filler(event) + "\"}";
  }
  return out + (as_lines ? "\n" : "]");
}

std::optional<Row> ParseRow(Stream stream, std::string_view line) {
  simdjson::dom::parser parser;
  element object;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  return RowOf(stream, object);
}

std::optional<Answer> ParseAnswer(std::string_view body) {
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  Answer answer;
  array rejected;
  if (document["accepted"].get(answer.accepted) != simdjson::SUCCESS ||
      document["rejected"].get(rejected) != simdjson::SUCCESS || !ReadPlaces(document, answer)) {
    return std::nullopt;
  }
  answer.rejected = rejected.size();
  array rows;
  if (document["rows"].get(rows) != simdjson::SUCCESS) return answer;
  for (const element row : rows)
    answer.rows.push_back(simdjson::minify(row));
  return answer;
}

}  // namespace headrace::cli::torture
