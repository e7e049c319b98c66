#include "serve/http/row_stream.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

template <typename Function>
void ForEachLine(std::string_view text, Function function) {
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) function(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

struct RowStream::Page {
  std::optional<Error> error;
  std::string rows;
  size_t count = 0;
  engine::RowPosition next{};
};

RowStream::RowStream(const engine::Engine& engine, QueryRunner& runner, RowStreamOptions options)
    : engine_(engine), runner_(runner), options_(std::move(options)) {}

std::string RowStream::Format(std::string rows) const {
  if (!options_.event_stream) return rows;
  std::string out;
  out.reserve(rows.size() + rows.size() / 8);
  ForEachLine(rows, [&](std::string_view line) {
    out += "data: ";
    out += line;
    out += "\n\n";
  });
  return out;
}

void RowStream::GoOn(const Page& page) {
  engine::RowRange& range = options_.range;
  range.latest = false;
  range.from = page.next.from;
  range.partition = page.next.partition;
  range.limit -= std::min(page.count, range.limit);
}

bool RowStream::Read(std::function<void(Page&)> then) {
  auto page = std::make_shared<Page>();
  engine::RowRange range = options_.range;
  range.limit = std::min(range.limit, options_.page_rows);
  if (range.latest && options_.follow) range.limit = 0;  // only asks where the end is
  range.next = &page->next;
  reading_ = true;
  more_durable_ = false;
  return runner_.Run(
      [self = shared_from_this(), page, range] {
        Result<std::string> rows = self->engine_.ReadRows(self->options_.stream, range);
        if (rows.ok()) {
          page->rows = std::move(rows).value();
          ForEachLine(page->rows, [&](std::string_view) { ++page->count; });
        } else {
          page->error = std::move(rows).error();
        }
      },
      [self = shared_from_this(), page, then = std::move(then)] {
        self->reading_ = false;
        if (!page->error) self->GoOn(*page);
        then(*page);
      });
}

void RowStream::Start(Answer answer) {
  bool runs = Read([self = shared_from_this(), answer](Page& page) {
    if (page.error) {
      self->ended_ = true;
      return answer(Problem(*page.error));
    }
    Response response;
    response.content_type = self->options_.event_stream ? kEventStream : kJsonLines;
    response.body = self->Format(std::move(page.rows));
    const bool full = page.count >= self->options_.page_rows;
    self->ended_ = self->options_.range.limit == 0 || (!full && !self->options_.follow);
    if (!self->ended_) response.source = self;
    answer(std::move(response));
  });
  if (runs) return;
  ended_ = true;
  answer(Problem(Error(ErrorKind::kUnavailable, kTooBusy, "too many queries wait already")));
}

void RowStream::Next(std::function<void(Piece)> give) {
  give_ = std::move(give);
  if (ended_) return Give({{}, true, false});
  GiveNext();
}

void RowStream::GiveNext() {
  bool runs = Read([self = shared_from_this()](Page& page) {
    if (!self->give_) return;
    if (page.error) return self->Give({{}, true, true});
    const bool full = page.count >= self->options_.page_rows;
    const bool last = self->options_.range.limit == 0 || (!full && !self->options_.follow);
    if (page.count > 0 || last) {
      return self->Give({self->Format(std::move(page.rows)), last, false});
    }
    if (self->more_durable_) self->GiveNext();
  });
  if (runs) return;
  reading_ = false;
  if (!options_.follow) Give({{}, true, true});
}

void RowStream::Give(Piece piece) {
  if (!give_) return;
  if (piece.last) ended_ = true;
  quiet_ = false;
  std::function<void(Piece)> give = std::exchange(give_, nullptr);
  give(std::move(piece));
}

void RowStream::Notify() {
  more_durable_ = true;
  if (give_ && !reading_ && !ended_) GiveNext();
}

void RowStream::Beat() {
  if (give_ && !reading_ && quiet_ && options_.event_stream) {
    return Give({":\n\n", false, false});
  }
  quiet_ = true;
}

void RowStream::Cancel() {
  ended_ = true;
  Give({{}, true, false});
}

}  // namespace headrace::serve
