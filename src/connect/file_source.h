#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "os/file_system.h"
#include "row/schema.h"

namespace headrace::connect {

// Where reading a source goes on: bytes of uncompressed text consumed so far, and the count of
// events taken. Journalled with the events.
struct SourcePosition {
  uint64_t bytes = 0;
  uint64_t events = 0;
};

// One chunk of events as JSON payloads, in order. `payloads` point into `text`, which has at least
// 64 readable bytes behind its end.
struct SourceChunk {
  std::string text;
  std::vector<std::string_view> payloads;
  std::vector<uint64_t> ends;  // by payload: uncompressed bytes of the source up to and with it
  SourcePosition end;          // behind the last payload of this chunk
  bool last = false;           // the source is at its end
};

// Reads events from a file (`.csv` with header, `.jsonl`, each also `.gz` and `.zst`, any other
// name as JSON lines), from a pipe by its name alike, or from stdin ("-", JSON lines). Blank lines
// are skipped; a line longer than the payload limit is passed on cut (the decoder refuses it),
// never buffered whole. Decompression and splitting run on a thread of its own, a bounded number of
// chunks ahead. Confined to the caller's thread.
class FileSource {
 public:
  // `schema` is the stream's, for CSV. Goes on behind `from`, unless it is a pipe. Errors:
  // kNotFound (HR6601), kIo, kInvalidArgument for a CSV header that has no column of the stream. In
  // follow mode the end of the file is not the end of the source: Next returns an empty chunk and
  // may be called again.
  static Result<std::unique_ptr<FileSource>> Open(os::FileSystem& files, const std::string& path,
                                                  const row::Schema& schema, SourcePosition from,
                                                  bool follow);
  virtual ~FileSource() = default;
  // At most `events_max` events. Error: damaged compression (HR6602, place is the path and byte).
  virtual Result<SourceChunk> Next(size_t events_max) = 0;
  // False for what cannot be read again (a pipe): it has no position to go on from.
  virtual bool resumes() const = 0;
  // Size of the file as stored and the stored bytes consumed, for progress; 0 when unknown.
  virtual uint64_t stored_bytes() const = 0;
  virtual uint64_t stored_bytes_read() const = 0;
};

// Writes a stream's rows to a file so that the finished file is byte for byte that of an
// undisturbed run: rows come with their count, and a small state file in the data directory says
// how many rows and bytes are durable in the output. Confined.
class FileSink {
 public:
  // `checkpoint_path`: where the durable position is kept; empty for stdout ("-") and for runs
  // without a data directory. Opening cuts the file back to the checkpoint.
  static Result<std::unique_ptr<FileSink>> Open(os::FileSystem& files, const std::string& path,
                                                const std::string& checkpoint_path);
  virtual ~FileSink() = default;
  // Rows already durable in the file: the caller goes on with this row of the stream (0 for
  // stdout).
  virtual uint64_t rows() const = 0;
  // Bytes already in the file, what is still to be flushed not counted (0 for stdout).
  virtual uint64_t bytes() const = 0;
  virtual Status Append(std::string_view bytes, uint64_t rows) = 0;
  // Flushes to the file; with `durable` also syncs it and moves the checkpoint.
  virtual Status Flush(bool durable) = 0;
};

}  // namespace headrace::connect
