#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "serve/http/message.h"

namespace headrace::serve {

struct RowStreamOptions {
  std::string stream;
  engine::RowRange range;     // `limit` is of the whole answer
  bool follow = false;        // go on when the present end is reached
  bool event_stream = false;  // server-sent events instead of JSON lines
  size_t page_rows = 0;
};

// The rows of one stream as an answer of any length: one page is in memory at a time, the next is
// read when the client took the last. Confined to the worker thread; reads run on query threads.
// The engine and the runner must outlive it. Limits: RowStreamOptions::page_rows.
class RowStream final : public BodySource, public std::enable_shared_from_this<RowStream> {
 public:
  RowStream(const engine::Engine& engine, QueryRunner& runner, RowStreamOptions options);

  // Reads the first page and answers: a problem, a whole answer, or one with this as its source.
  void Start(Answer answer);
  void Next(std::function<void(Piece)> give) override;
  void Cancel() override;

  // Something has become durable.
  void Notify();
  // Sends a comment when nothing else was sent since the last call, so that a dead reader shows.
  void Beat();
  bool ended() const { return ended_; }

 private:
  struct Page;
  bool Read(std::function<void(Page&)> then);
  void GoOn(const Page& page);
  void GiveNext();
  void Give(Piece piece);
  std::string Format(std::string rows) const;

  const engine::Engine& engine_;
  QueryRunner& runner_;
  RowStreamOptions options_;
  std::function<void(Piece)> give_;  // set while the connection waits
  bool reading_ = false;
  bool more_durable_ = false;  // Notify came while a page was being read
  bool quiet_ = false;         // nothing sent since the last Beat
  bool ended_ = false;
};

}  // namespace headrace::serve
