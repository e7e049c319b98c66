#pragma once

#include <deque>
#include <memory>
#include <string>

#include "connect/background_sink.h"
#include "connect/file_source.h"
#include "engine/local_engine.h"
#include "engine/row_decoder.h"

namespace headrace::engine {

// Writes one stream to one file while a run goes on: what the file lacks of the durable rows first
// (from the log), then each row as it is emitted, held back until it is durable. Confined, with one
// thread that writes; the engine must outlive it.
class OutputFile {
 public:
  // Catches up with the log and taps the stream. A name that ends in .csv is written as CSV, any
  // other as JSON lines.
  static Result<std::unique_ptr<OutputFile>> Open(LocalEngine& engine, os::FileSystem& files,
                                                  const std::string& stream,
                                                  const std::string& path,
                                                  const std::string& checkpoint);
  ~OutputFile();

  // The rows emitted since the last call belong to groups up to `lsn`.
  void Seal(log::Lsn lsn);
  // Writes what is durable.
  Status Release(log::Lsn durable);
  // Syncs what was written: when nothing more comes for a while.
  Status Sync();
  // Writes and syncs everything; all of it must be durable.
  Status Finish();

 private:
  struct Held {
    log::Lsn lsn = 0;
    std::string bytes;
    uint64_t rows = 0;
  };

  OutputFile(LocalEngine& engine, std::string stream, bool csv);
  void Take(const TappedRow& row);
  Result<uint64_t> RowsToSkip(uint64_t written) const;
  Status CatchUp(connect::FileSink& sink);
  Status Render(const StoredRow& stored, std::string& out);

  LocalEngine& engine_;
  std::string stream_;
  bool csv_;
  std::shared_ptr<const Deployment> deployment_;
  const Deployed* item_;
  row::Schema schema_;
  RowDecoder decoder_;
  schema::JsonEncoder encoder_;
  std::unique_ptr<connect::FileSink> source_sink_;   // of a source: written at the end
  std::unique_ptr<connect::BackgroundSink> writer_;  // of a statement: written as it runs
  Held open_;                                        // rows not yet sealed
  std::deque<Held> held_;                            // sealed, not yet durable
  uint64_t unsynced_ = 0;                            // bytes since the last durable flush
};

}  // namespace headrace::engine
