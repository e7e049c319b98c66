#include "engine/output_file.h"

#include "engine/row_cursor.h"

namespace headrace::engine {
namespace {

constexpr uint64_t kSyncBytes = 64 << 20;

}  // namespace

OutputFile::OutputFile(LocalEngine& engine, std::string stream, bool csv)
    : engine_(engine),
      stream_(std::move(stream)),
      csv_(csv),
      deployment_(engine.deployment()),
      item_(deployment_->Find(stream_)),
      schema_(deployment_->SchemaOf(*item_)),
      decoder_(*deployment_, *item_),
      encoder_(schema_) {}

OutputFile::~OutputFile() {
  engine_.SetTap(stream_, nullptr);
}

Result<std::unique_ptr<OutputFile>> OutputFile::Open(LocalEngine& engine, os::FileSystem& files,
                                                     const std::string& stream,
                                                     const std::string& path,
                                                     const std::string& checkpoint) {
  const Deployed* item = engine.deployment()->Find(stream);
  if (item == nullptr || item->is_model()) {
    return Error(ErrorKind::kNotFound, "HR1204", "no stream " + stream + " to write to " + path)
        .WithHint("--output STREAM=FILE names a stream or view of the script");
  }
  std::unique_ptr<OutputFile> output(new OutputFile(engine, stream, path.ends_with(".csv")));
  HR_ASSIGN(auto sink, connect::FileSink::Open(files, path, checkpoint));
  if (item->source) {
    output->source_sink_ = std::move(sink);
    return output;  // its rows are written from the log at the end
  }
  HR_TRY(output->CatchUp(*sink));
  output->writer_ = std::make_unique<connect::BackgroundSink>(std::move(sink));
  OutputFile* raw = output.get();
  engine.SetTap(stream, [raw](const TappedRow& row) { raw->Take(row); });
  return output;
}

void OutputFile::Take(const TappedRow& row) {
  if (csv_ || !item_->dead_of.empty()) {
    StoredRow stored;
    stored.partition = row.partition;
    stored.offset = row.offset;
    stored.cause = row.cause;
    stored.value = row.value;
    if (row.headers != nullptr) stored.headers = *row.headers;
    Status rendered = Render(stored, open_.bytes);
    HR_CHECK(rendered.ok());
  } else {
    open_.bytes += row.value;
    open_.bytes += '\n';
  }
  ++open_.rows;
}

// A file cannot go on behind rows that it has not and the log has no more. Of a source not every
// event is a row: how many rows were removed is unknown.
Result<uint64_t> OutputFile::RowsToSkip(uint64_t written) const {
  uint64_t removed = 0;
  for (int32_t p = 0; p < item_->partitions; ++p)
    removed += static_cast<uint64_t>(engine_.log().start_offset(item_->topic(), p));
  if (removed == 0 || (item_->statement && removed <= written)) return written - removed;
  return Error(ErrorKind::kConflict, "HR6604",
               "the log begins at row " + std::to_string(removed) + " of " + stream_ +
                   ", the output ends at " + std::to_string(written))
      .WithHint("retention removed rows: read those that are there with `headrace sql`");
}

Status OutputFile::CatchUp(connect::FileSink& sink) {
  uint64_t written = sink.rows();
  if (csv_ && sink.bytes() == 0) HR_TRY(sink.Append(schema::CsvHeader(schema_) + "\n", 0));
  HR_ASSIGN(uint64_t skipped, RowsToSkip(written));
  // With one partition the rows of a statement are counted by their offsets, unless some are lost:
  // nothing is skipped by reading it.
  const bool by_offset =
      item_->statement && item_->partitions == 1 && deployment_->catalog.losses().empty();
  HR_ASSIGN(auto cursor, RowCursor::Open(engine_.log(), *item_, by_offset ? 0 : -1,
                                         static_cast<int64_t>(by_offset ? written : 0)));
  if (by_offset) skipped = 0;
  StoredRow stored;
  std::string bytes;
  uint64_t rows = 0;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more) break;
    if (item_->source) {
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
      if (!fits) continue;
    }
    if (skipped > 0) {
      --skipped;
      continue;
    }
    HR_TRY(Render(stored, bytes));
    ++rows;
    if (bytes.size() < 1 << 20) continue;
    HR_TRY(sink.Append(bytes, rows));
    bytes.clear();
    rows = 0;
  }
  return sink.Append(bytes, rows);
}

Status OutputFile::Render(const StoredRow& stored, std::string& out) {
  if (item_->statement && !csv_) {
    out += stored.value;
    out += '\n';
    return Ok();
  }
  row::Value* values = nullptr;
  HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
  if (!fits) return Ok();
  if (csv_) {
    schema::AppendCsvRow(schema_, values, out);
  } else {
    encoder_.Append(values, out);
  }
  out += '\n';
  return Ok();
}

void OutputFile::Seal(log::Lsn lsn) {
  if (open_.rows == 0) return;
  open_.lsn = lsn;
  held_.push_back(std::move(open_));
  open_ = Held{};
  open_.bytes = writer_->Buffer();
}

Status OutputFile::Release(log::Lsn durable) {
  while (!held_.empty() && held_.front().lsn <= durable) {
    unsynced_ += held_.front().bytes.size();
    HR_TRY(writer_->Append(std::move(held_.front().bytes), held_.front().rows));
    held_.pop_front();
  }
  if (unsynced_ < kSyncBytes) return Ok();
  unsynced_ = 0;
  writer_->Checkpoint();
  return Ok();
}

Status OutputFile::Sync() {
  if (unsynced_ == 0) return Ok();
  unsynced_ = 0;
  return writer_->Flush(true);
}

Status OutputFile::Finish() {
  if (source_sink_ != nullptr) {
    HR_TRY(CatchUp(*source_sink_));
    return source_sink_->Flush(true);
  }
  HR_TRY(Release(UINT64_MAX));
  return writer_->Flush(true);
}

}  // namespace headrace::engine
