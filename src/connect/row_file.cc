#include "connect/row_file.h"

#include "connect/arrow_file.h"
#include "connect/columnar_file.h"
#include "connect/file_source.h"
#include "connect/parquet_file.h"
#include "connect/sealed_file.h"
#include "schema/codec.h"

namespace headrace::connect {
namespace {

constexpr size_t kBufferBytes = 1 << 18;

// CSV and JSON lines: a line a row.
class TextRows final : public RowFile {
 public:
  TextRows(std::unique_ptr<FileSink> sink, const row::Schema& schema, bool csv)
      : sink_(std::move(sink)), schema_(schema), encoder_(schema), csv_(csv) {
    if (csv_) buffer_ = schema::CsvHeader(schema_) + "\n";
  }

  Status Append(const row::Value* values) override {
    if (csv_) {
      schema::AppendCsvRow(schema_, values, buffer_);
    } else {
      encoder_.Append(values, buffer_);
    }
    buffer_ += '\n';
    return buffer_.size() < kBufferBytes ? Ok() : Write();
  }

  Status Finish() override {
    HR_TRY(Write());
    return sink_->Flush(true);
  }

 private:
  Status Write() {
    HR_TRY(sink_->Append(buffer_, 0));
    buffer_.clear();
    return Ok();
  }

  std::unique_ptr<FileSink> sink_;
  row::Schema schema_;
  schema::JsonEncoder encoder_;
  bool csv_;
  std::string buffer_;
};

}  // namespace

Result<std::unique_ptr<RowFile>> RowFile::Create(os::FileSystem& files, const std::string& path,
                                                 const row::Schema& schema) {
  const bool parquet = path.ends_with(".parquet");
  if (parquet || path.ends_with(".arrow")) {
    HR_ASSIGN(SealedFile file, SealedFile::Create(files, path));
    return ColumnarFile::Create(std::move(file), schema,
                                parquet ? MakeParquetFormat(schema) : MakeArrowFormat(schema));
  }
  const bool csv = path.ends_with(".csv");
  if (!csv && !path.ends_with(".jsonl")) {
    return Error(ErrorKind::kInvalidArgument, "HR6605", "no format is known by this extension")
        .AtPlace(path)
        .WithHint("name the file .csv, .jsonl, .parquet or .arrow");
  }
  HR_ASSIGN(auto sink, FileSink::Open(files, path, ""));
  return std::unique_ptr<RowFile>(std::make_unique<TextRows>(std::move(sink), schema, csv));
}

}  // namespace headrace::connect
