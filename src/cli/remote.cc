#include "cli/remote.h"

#include <charconv>

#include <simdjson.h>

#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr uint16_t kDefaultPort = 7070;

Error NoAnswer(std::string_view body) {
  return Error(ErrorKind::kUnavailable, "HR9021",
               "the answer is none of headrace: " + std::string(body.substr(0, 200)));
}

ErrorKind KindOf(int status) {
  if (status == 404) return ErrorKind::kNotFound;
  if (status == 409) return ErrorKind::kConflict;
  if (status == 429 || status == 503) return ErrorKind::kUnavailable;
  return status >= 500 ? ErrorKind::kInternal : ErrorKind::kInvalidArgument;
}

std::string Member(const simdjson::dom::element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

}  // namespace

Result<Remote> Remote::At(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = url;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t colon = rest.rfind(':');
  uint16_t port = kDefaultPort;
  const std::string host(rest.substr(0, colon));
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (problem != std::errc() || end != digits.data() + digits.size()) port = 0;
  }
  if (host.empty() || port == 0 || host.find('/') != std::string::npos) {
    return BadUsage("--url takes http://HOST:PORT, not `" + url + "`");
  }
  return Remote(std::make_unique<HttpClient>(port, host));
}

Result<std::string> Remote::BodyOf(HttpAnswer answer) {
  if (answer.status == 200) return std::move(answer.body);
  simdjson::dom::parser parser;
  simdjson::dom::element problem;
  if (parser.parse(answer.body).get(problem) != simdjson::SUCCESS ||
      Member(problem, "code").empty()) {
    return NoAnswer(answer.body);
  }
  std::string said = Member(problem, "detail");
  if (said.empty()) said = Member(problem, "title");
  Error error(KindOf(answer.status), Member(problem, "code"), std::move(said));
  const std::string hint = Member(problem, "hint");
  return hint.empty() ? error : Error(error).WithHint(hint);
}

Result<std::string> Remote::Get(const std::string& path) {
  HR_ASSIGN(HttpAnswer answer, http_->Get(path));
  return BodyOf(std::move(answer));
}

Result<std::string> Remote::Delete(const std::string& path) {
  HR_ASSIGN(HttpAnswer answer, http_->Delete(path));
  return BodyOf(std::move(answer));
}

Result<std::string> Remote::Sql(std::string_view text) {
  std::string body = "{\"sql\":";
  row::AppendJsonString(text, body);
  HR_ASSIGN(HttpAnswer answer, http_->Post("/api/v1/sql", "application/json", body + "}"));
  return BodyOf(std::move(answer));
}

std::string PathSegment(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<Listing> ListingOfJson(const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::array columns;
  simdjson::dom::array rows;
  if (parser.parse(answer).get(document) != simdjson::SUCCESS ||
      document["columns"].get(columns) != simdjson::SUCCESS ||
      document["rows"].get(rows) != simdjson::SUCCESS) {
    return NoAnswer(answer);
  }
  std::vector<std::string> names;
  for (simdjson::dom::element column : columns)
    names.push_back(Member(column, "name"));
  Listing listing(std::move(names));
  for (simdjson::dom::element row : rows) {
    std::vector<Cell> cells;
    simdjson::dom::array values;
    if (row.get(values) != simdjson::SUCCESS) return NoAnswer(answer);
    for (simdjson::dom::element value : values) {
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) {
        cells.push_back(Cell::Text(text));
      } else if (value.is_null()) {
        cells.push_back(Cell::Null());
      } else {
        cells.push_back({simdjson::minify(value),
                         value.is_bool() ? Cell::Kind::kBoolean : Cell::Kind::kNumber});
      }
    }
    listing.Add(std::move(cells));
  }
  return listing;
}

}  // namespace headrace::cli
