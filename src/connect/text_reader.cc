#include "connect/text_reader.h"

#include <cerrno>
#include <system_error>

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace headrace::connect {
namespace {

constexpr size_t kBlock = 256 << 10;

Error Damaged(const std::string& path, uint64_t at, const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR6602", what)
      .AtPlace(path + "@" + std::to_string(at))
      .WithHint("the events before it were taken; repair the file and run again");
}

// The bytes of a file as they are stored.
class StoredReader : public TextReader {
 public:
  StoredReader(std::unique_ptr<os::File> file, std::string path, uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  bool is_pipe() const override { return file_->is_pipe(); }
  uint64_t stored_bytes() const override { return size_; }
  uint64_t stored_bytes_read() const override { return position_; }

 protected:
  Status ReadStored(std::string& out) {
    size_t before = out.size();
    out.resize(before + kBlock);
    HR_ASSIGN(size_t read, file_->ReadAt(position_, out.data() + before, kBlock));
    out.resize(before + read);
    position_ += read;
    return Ok();
  }
  bool GoTo(uint64_t position) {
    if (position > size_) return false;
    position_ = position;
    return true;
  }
  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<os::File> file_;
  std::string path_;
  uint64_t size_;
  uint64_t position_ = 0;
};

class PlainReader final : public StoredReader {
 public:
  using StoredReader::StoredReader;
  Status Read(std::string& out) override { return ReadStored(out); }
  bool SkipTo(uint64_t position) override { return !is_pipe() && GoTo(position); }
};

class StandardInput final : public TextReader {
 public:
  Status Read(std::string& out) override {
    size_t before = out.size();
    out.resize(before + kBlock);
    ssize_t n = 0;
    do {
      n = ::read(STDIN_FILENO, out.data() + before, kBlock);
    } while (n < 0 && errno == EINTR);
    out.resize(before + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n >= 0) return Ok();
    return Error(ErrorKind::kIo, "HR7001",
                 "read: " + std::error_code(errno, std::generic_category()).message())
        .AtPlace("-");
  }
  bool is_pipe() const override { return true; }
  uint64_t stored_bytes() const override { return 0; }
  uint64_t stored_bytes_read() const override { return 0; }
};

class GzipReader final : public StoredReader {
 public:
  GzipReader(std::unique_ptr<os::File> file, std::string path, uint64_t size)
      : StoredReader(std::move(file), std::move(path), size) {
    started_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  ~GzipReader() override {
    if (started_) inflateEnd(&stream_);
  }

  Status Read(std::string& out) override {
    size_t before = out.size();
    while (started_ && out.size() == before) {
      if (stream_.avail_in == 0) {
        input_.clear();
        HR_TRY(ReadStored(input_));
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(input_.size());
        if (input_.empty()) {
          if (between_members_) return Ok();
          return Damaged(path(), stored_bytes_read(), "the gzip file ends too early");
        }
      }
      between_members_ = false;
      out.resize(before + kBlock);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = kBlock;
      int code = inflate(&stream_, Z_NO_FLUSH);
      out.resize(before + kBlock - stream_.avail_out);
      if (code == Z_STREAM_END) {
        inflateReset(&stream_);
        between_members_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return Damaged(path(), stored_bytes_read() - stream_.avail_in, "the gzip file is damaged");
      }
    }
    return Ok();
  }

 private:
  z_stream stream_{};
  bool started_ = false;
  bool between_members_ = true;
  std::string input_;
};

class ZstdReader final : public StoredReader {
 public:
  ZstdReader(std::unique_ptr<os::File> file, std::string path, uint64_t size)
      : StoredReader(std::move(file), std::move(path), size), stream_(ZSTD_createDStream()) {}
  ~ZstdReader() override { ZSTD_freeDStream(stream_); }

  Status Read(std::string& out) override {
    size_t before = out.size();
    while (out.size() == before) {
      if (buffer_.pos == buffer_.size) {
        input_.clear();
        HR_TRY(ReadStored(input_));
        buffer_ = {input_.data(), input_.size(), 0};
        if (input_.empty()) {
          if (between_frames_) return Ok();
          return Damaged(path(), stored_bytes_read(), "the zstd file ends too early");
        }
      }
      out.resize(before + kBlock);
      ZSTD_outBuffer target{out.data() + before, kBlock, 0};
      size_t code = ZSTD_decompressStream(stream_, &target, &buffer_);
      out.resize(before + target.pos);
      between_frames_ = code == 0;
      if (ZSTD_isError(code) != 0U) {
        return Damaged(path(), stored_bytes_read() - (buffer_.size - buffer_.pos),
                       "the zstd file is damaged");
      }
    }
    return Ok();
  }

 private:
  ZSTD_DStream* stream_;
  ZSTD_inBuffer buffer_{nullptr, 0, 0};
  bool between_frames_ = true;
  std::string input_;
};

}  // namespace

Result<std::unique_ptr<TextReader>> TextReader::Open(os::FileSystem& files,
                                                     const std::string& path) {
  if (path == "-") return std::unique_ptr<TextReader>(std::make_unique<StandardInput>());
  Result<std::unique_ptr<os::File>> file = files.Open(path, {});
  if (!file.ok()) {
    if (file.error().kind() != ErrorKind::kNotFound) return std::move(file).error();
    return Error(ErrorKind::kNotFound, "HR6601", "no such input file").AtPlace(path);
  }
  Result<uint64_t> measured = (*file)->Size();
  uint64_t size = measured.ok() ? *measured : 0;
  std::unique_ptr<TextReader> reader;
  if (path.ends_with(".gz")) {
    reader = std::make_unique<GzipReader>(std::move(file).value(), path, size);
  } else if (path.ends_with(".zst")) {
    reader = std::make_unique<ZstdReader>(std::move(file).value(), path, size);
  } else {
    reader = std::make_unique<PlainReader>(std::move(file).value(), path, size);
  }
  return reader;
}

}  // namespace headrace::connect
