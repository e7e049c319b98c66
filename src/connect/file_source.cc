#include "connect/file_source.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "connect/text_reader.h"
#include "schema/codec.h"

namespace headrace::connect {
namespace {

constexpr size_t kChunkBytes = 512 << 10;
constexpr size_t kChunksAhead = 2;
constexpr size_t kRoom = 64;  // readable bytes behind a chunk's text

// Where one record of the text begins and ends, before the payloads can point at it.
struct Span {
  size_t begin = 0;
  size_t size = 0;
  uint64_t end_bytes = 0;  // of the source's uncompressed text
};

// Cuts text into records and turns them into payloads. Confined to the reading thread.
class Splitter {
 public:
  Splitter(const row::Schema& schema, bool csv) : schema_(schema), csv_(csv) {}

  // The end of the record that begins at `at`, or npos when it is not all there yet. `whole`: no
  // more text follows. A quote that nobody closes takes its line alone, not the rest of the file.
  size_t FindEnd(std::string_view text, size_t at, bool whole = false) const {
    if (!csv_) return text.find('\n', at);
    const size_t begin = at;
    bool quoted = false;
    while (true) {
      // Outside quotes a quote matters only before the line's end: looking for the next one of the
      // whole text would cost each line of a file without any the rest of the buffer.
      const size_t newline = quoted ? text.size() : text.find('\n', at);
      const size_t quote = text.substr(0, newline).find('"', at);
      if (quote == std::string_view::npos) {
        if (!quoted) return newline;
        const bool open = whole || text.size() - begin > schema::kPayloadBytesMax;
        return open ? text.find('\n', begin) : std::string_view::npos;
      }
      quoted = !quoted;
      at = quote + 1;
    }
  }

  Status TakeHeader(std::string_view record) {
    HR_ASSIGN(converter_, schema::CsvToJson::FromHeader(record, schema_));
    return Ok();
  }
  bool needs_header() const { return csv_ && !converter_; }

  // Appends the payload of one record; nothing for a blank line.
  bool Append(std::string_view record, std::string& out) const {
    if (record.find_first_not_of(" \t\r") == std::string_view::npos) return false;
    if (csv_) {
      converter_->Append(record, out);
    } else {
      out += record.substr(0, schema::kPayloadBytesMax + 1);
    }
    return true;
  }

 private:
  row::Schema schema_;
  bool csv_;
  std::optional<schema::CsvToJson> converter_;
};

bool IsCsv(std::string path) {
  for (const char* packed : {".gz", ".zst"}) {
    if (path.ends_with(packed)) path.resize(path.size() - std::strlen(packed));
  }
  return path.ends_with(".csv");
}

// See file_source.h. The reading thread fills `ready_`; everything between the threads is guarded
// by mutex_ but the progress counter.
class ReadingSource final : public FileSource {
 public:
  ReadingSource(std::unique_ptr<TextReader> reader, const row::Schema& schema, bool csv,
                SourcePosition from, bool follow)
      : reader_(std::move(reader)),
        splitter_(schema, csv),
        from_(from),
        follow_(follow),
        stored_bytes_(reader_->stored_bytes()),
        position_(from) {}
  ~ReadingSource() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  // Reads the header at once, so that a wrong file is refused at the start.
  Status Start() {
    if (splitter_.needs_header()) {
      while (splitter_.FindEnd(text_, 0) == std::string_view::npos) {
        size_t before = text_.size();
        HR_TRY(reader_->Read(text_));
        if (text_.size() == before) break;
      }
      size_t end = std::min(splitter_.FindEnd(text_, 0), text_.size());
      HR_TRY(splitter_.TakeHeader(std::string_view(text_).substr(0, end)));
      Consume(std::min(end + 1, text_.size()));
    }
    if (from_.bytes > consumed_ && reader_->SkipTo(from_.bytes)) {
      text_.clear();
      start_ = 0;
      consumed_ = from_.bytes;
      events_ = from_.events;
    }
    if (!follow_) thread_ = std::thread([this] { ReadAhead(); });
    return Ok();
  }

  Result<SourceChunk> Next(size_t events_max) override {
    if (current_.payloads.size() == given_) HR_TRY(Refill());
    return Slice(events_max);
  }

  bool resumes() const override { return !reader_->is_pipe(); }
  uint64_t stored_bytes() const override { return stored_bytes_; }
  uint64_t stored_bytes_read() const override { return stored_read_.load(); }

 private:
  void Consume(size_t bytes) {
    consumed_ += bytes;
    start_ += bytes;
  }

  Status Refill() {
    given_ = 0;
    current_ = SourceChunk{};
    if (follow_) {
      HR_ASSIGN(current_, ReadChunk());
      current_.last = false;
      return Ok();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || failed_ || ended_; });
    if (!ready_.empty()) {
      current_ = std::move(ready_.front());
      ready_.pop_front();
      changed_.notify_all();
      return Ok();
    }
    if (failed_) return *failed_;
    current_.last = true;
    current_.end = position_;
    return Ok();
  }

  SourceChunk Slice(size_t events_max) {
    if (given_ == 0 && current_.payloads.size() <= events_max) {
      given_ = current_.payloads.size();
      position_ = current_.end;
      SourceChunk whole = std::move(current_);
      current_ = SourceChunk{};
      given_ = 0;
      return whole;
    }
    size_t end = std::min(current_.payloads.size(), given_ + events_max);
    SourceChunk part;
    const char* first = current_.payloads[given_].data();
    const char* last = current_.payloads[end - 1].data() + current_.payloads[end - 1].size();
    part.text.reserve(static_cast<size_t>(last - first) + kRoom);
    part.text.assign(first, last);
    for (size_t i = given_; i < end; ++i) {
      std::string_view payload = current_.payloads[i];
      part.payloads.emplace_back(part.text.data() + (payload.data() - first), payload.size());
      part.ends.push_back(current_.ends[i]);
    }
    part.text.append(kRoom, ' ');
    part.end = {current_.ends[end - 1], current_.end.events - (current_.payloads.size() - end)};
    given_ = end;
    if (given_ == current_.payloads.size()) part.last = current_.last;
    position_ = part.end;
    return part;
  }

  void ReadAhead() {
    while (true) {
      Result<SourceChunk> chunk = ReadChunk();
      std::unique_lock lock(mutex_);
      if (!chunk.ok()) {
        failed_ = std::make_unique<Error>(chunk.error());
      } else if (!chunk->payloads.empty()) {
        changed_.wait(lock, [&] { return ready_.size() < kChunksAhead || stop_; });
        bool last = chunk->last;
        ready_.push_back(std::move(chunk).value());
        ended_ = last;
      } else {
        ended_ = chunk->last;
      }
      changed_.notify_all();
      if (stop_ || ended_ || failed_) return;
    }
  }

  // Reads until a chunk is full or the text ends. A damaged file gives what is whole first.
  Result<SourceChunk> ReadChunk() {
    if (delayed_) return std::move(*delayed_);
    SourceChunk chunk;
    std::vector<Span> spans;
    bool ended = false;
    while (chunk.text.size() < kChunkBytes && !ended) {
      size_t end = splitter_.FindEnd(text_, start_);
      if (end == std::string_view::npos) {
        text_.erase(0, start_);
        start_ = 0;
        size_t before = text_.size();
        Status read = reader_->Read(text_);
        stored_read_ = reader_->stored_bytes_read();
        if (!read.ok()) {
          if (spans.empty()) return std::move(read).error();
          delayed_ = std::make_unique<Error>(read.error());
          break;
        }
        ended = text_.size() == before;
        while (ended && !follow_ && start_ < text_.size()) {
          size_t last = std::min(splitter_.FindEnd(text_, start_, true), text_.size());
          TakeRecord(last, std::min(last + 1, text_.size()), chunk, spans);
        }
        continue;
      }
      TakeRecord(end, end + 1, chunk, spans);
    }
    chunk.text.append(kRoom, ' ');
    for (const Span& span : spans) {
      chunk.payloads.emplace_back(chunk.text.data() + span.begin, span.size);
      chunk.ends.push_back(span.end_bytes);
    }
    chunk.end = {spans.empty() ? consumed_ : spans.back().end_bytes, events_};
    chunk.last = ended;
    return chunk;
  }

  void TakeRecord(size_t end, size_t next, SourceChunk& chunk, std::vector<Span>& spans) {
    std::string_view record(text_.data() + start_, end - start_);
    Consume(next - start_);
    if (consumed_ <= from_.bytes) {
      events_ = from_.events;
      return;
    }
    size_t begin = chunk.text.size();
    if (!splitter_.Append(record, chunk.text)) return;
    spans.push_back({begin, chunk.text.size() - begin, consumed_});
    ++events_;
  }

  // The reading thread's (the caller's when following).
  std::unique_ptr<TextReader> reader_;
  Splitter splitter_;
  SourcePosition from_;
  bool follow_;
  std::string text_;
  size_t start_ = 0;       // of the next record in text_
  uint64_t consumed_ = 0;  // uncompressed bytes before it
  uint64_t events_ = 0;
  std::unique_ptr<Error> delayed_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SourceChunk> ready_;
  std::unique_ptr<Error> failed_;
  bool ended_ = false;
  bool stop_ = false;
  std::atomic<uint64_t> stored_read_{0};
  uint64_t stored_bytes_;

  // The caller's.
  SourceChunk current_;
  size_t given_ = 0;
  SourcePosition position_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::Open(os::FileSystem& files, const std::string& path,
                                                     const row::Schema& schema, SourcePosition from,
                                                     bool follow) {
  HR_ASSIGN(auto reader, TextReader::Open(files, path));
  if (reader->is_pipe()) from = {};
  auto source =
      std::make_unique<ReadingSource>(std::move(reader), schema, IsCsv(path), from, follow);
  HR_TRY(source->Start());
  return std::unique_ptr<FileSource>(std::move(source));
}

}  // namespace headrace::connect
