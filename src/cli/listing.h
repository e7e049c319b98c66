#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"

namespace headrace::cli {

// One value of a listing: its text for people and whether JSON quotes it.
struct Cell {
  std::string text;
  enum class Kind : uint8_t { kText, kNumber, kBoolean, kNull } kind = Kind::kText;

  static Cell Text(std::string_view text) { return {std::string(text), Kind::kText}; }
  static Cell Number(int64_t number) { return {std::to_string(number), Kind::kNumber}; }
  static Cell Number(uint64_t number) { return {std::to_string(number), Kind::kNumber}; }
  static Cell Boolean(bool value) { return {value ? "true" : "false", Kind::kBoolean}; }
  static Cell Null() { return {"", Kind::kNull}; }
};

// Rows under named columns: a table for people, one JSON array with --json, a JSON object a line
// with --jsonl. Confined.
class Listing {
 public:
  explicit Listing(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  size_t size() const { return rows_.size(); }

  void Print(const Arguments& arguments, Console& console) const;
  std::string Table() const;
  std::string Json() const;       // [{...},{...}] and a line end
  std::string JsonLines() const;  // {...} a line
  std::string Csv() const;        // RFC 4180, with a line of names

 private:
  void AppendObject(const std::vector<Cell>& row, std::string& out) const;

  std::vector<std::string> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// The flags that every listing takes.
std::vector<Flag> ListingFlags(std::vector<Flag> others);

}  // namespace headrace::cli
