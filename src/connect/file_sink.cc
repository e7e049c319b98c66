#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/bytes.h"
#include "base/hash.h"
#include "connect/file_source.h"

namespace headrace::connect {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr size_t kDirectBytes = 32 << 10;          // a copy would cost more than the write it saves
constexpr uint32_t kCheckpointMagic = 0x314f5248;  // "HRO1"

struct Checkpoint {
  uint64_t rows = 0;
  uint64_t bytes = 0;

  std::string Encode() const {
    std::string out;
    out.reserve(32);
    base::ByteWriter w(out);
    w.U32Le(kCheckpointMagic);
    w.U64Le(rows);
    w.U64Le(bytes);
    w.U32Le(base::Crc32c(out));
    return out;
  }
  static Checkpoint Decode(std::string_view text) {
    if (text.size() != 24) return {};
    base::ByteReader r(text);
    Checkpoint checkpoint;
    uint32_t magic = r.U32Le();
    checkpoint.rows = r.U64Le();
    checkpoint.bytes = r.U64Le();
    uint32_t crc = r.U32Le();
    bool good = r.ok() && magic == kCheckpointMagic && crc == base::Crc32c(text.substr(0, 20));
    return good ? checkpoint : Checkpoint{};
  }
};

class DiskSink final : public FileSink {
 public:
  DiskSink(os::FileSystem& files, std::unique_ptr<os::File> file, std::string checkpoint_path)
      : files_(files), file_(std::move(file)), checkpoint_path_(std::move(checkpoint_path)) {}

  Status Resume() {
    if (!checkpoint_path_.empty() && files_.Exists(checkpoint_path_)) {
      HR_ASSIGN(std::string text, os::ReadFile(files_, checkpoint_path_, 1024));
      Checkpoint found = Checkpoint::Decode(text);
      HR_ASSIGN(uint64_t size, file_->Size());
      if (size >= found.bytes) written_ = found;
    }
    durable_rows_ = written_.rows;
    return file_->Truncate(written_.bytes);
  }

  uint64_t rows() const override { return durable_rows_; }
  uint64_t bytes() const override { return written_.bytes; }

  Status Append(std::string_view bytes, uint64_t rows) override {
    if (bytes.size() >= kDirectBytes) {
      HR_TRY(Flush(false));
      return Write(bytes, rows);
    }
    buffer_ += bytes;
    buffered_rows_ += rows;
    return buffer_.size() < kBufferBytes ? Ok() : Flush(false);
  }

  Status Flush(bool durable) override {
    if (!buffer_.empty()) HR_TRY(Write(buffer_, buffered_rows_));
    buffer_.clear();
    buffered_rows_ = 0;
    if (!durable || checkpoint_path_.empty()) return Ok();
    HR_TRY(file_->Sync());
    durable_rows_ = written_.rows;
    return os::ReplaceFile(files_, checkpoint_path_, written_.Encode());
  }

 private:
  Status Write(std::string_view bytes, uint64_t rows) {
    HR_TRY(file_->WriteAt(written_.bytes, bytes));
    written_.bytes += bytes.size();
    written_.rows += rows;
    return Ok();
  }

  os::FileSystem& files_;
  std::unique_ptr<os::File> file_;
  std::string checkpoint_path_;
  Checkpoint written_;
  uint64_t durable_rows_ = 0;
  std::string buffer_;
  uint64_t buffered_rows_ = 0;
};

class StandardOutput final : public FileSink {
 public:
  uint64_t rows() const override { return 0; }
  uint64_t bytes() const override { return 0; }
  Status Append(std::string_view bytes, uint64_t) override {
    return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? Ok() : Failed();
  }
  Status Flush(bool) override { return std::fflush(stdout) == 0 ? Ok() : Failed(); }

 private:
  static Status Failed() {
    return Error(ErrorKind::kIo, "HR7001", "write to standard output failed").AtPlace("-");
  }
};

}  // namespace

Result<std::unique_ptr<FileSink>> FileSink::Open(os::FileSystem& files, const std::string& path,
                                                 const std::string& checkpoint_path) {
  if (path == "-") return std::unique_ptr<FileSink>(std::make_unique<StandardOutput>());
  HR_ASSIGN(auto file, files.Open(path, {.create = true, .exclusive = false, .writable = true}));
  if (!checkpoint_path.empty()) {
    // The checkpoint promises that the file is there: its name must outlive a power failure too.
    std::string parent = std::filesystem::path(path).parent_path().string();
    HR_TRY(files.SyncDirectory(parent.empty() ? "." : parent));
  }
  auto sink = std::make_unique<DiskSink>(files, std::move(file), checkpoint_path);
  HR_TRY(sink->Resume());
  return std::unique_ptr<FileSink>(std::move(sink));
}

}  // namespace headrace::connect
