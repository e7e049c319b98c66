#include "engine/bulk_run.h"

#include <memory>

#include "base/hash.h"
#include "connect/file_source.h"
#include "engine/local_engine.h"
#include "engine/output_file.h"

namespace headrace::engine {
namespace {

constexpr size_t kReadEvents = 4096;

// One input file on its way into one stream.
struct Input {
  std::string stream;
  std::string path;
  std::string topic;
  std::unique_ptr<connect::FileSource> source;
  bool ended = false;
};

// One run: inputs in turn, outputs behind the flush.
class BulkRun {
 public:
  BulkRun(LocalEngine& engine, os::FileSystem& files, const RunOptions& options,
          std::string directory)
      : engine_(engine), files_(files), options_(options), directory_(std::move(directory)) {}

  Result<RunTotals> Run() {
    HR_TRY(OpenInputs());
    HR_TRY(OpenOutputs());
    while (!Stopped()) {
      HR_ASSIGN(bool busy, Turn());
      if (busy) continue;
      if (!options_.follow) break;
      HR_TRY(engine_.StepAsks());
      for (auto& output : outputs_)
        output->Seal(engine_.log().last_lsn());
      HR_TRY(engine_.log().WaitDurable(engine_.log().last_lsn()));
      HR_TRY(Release());
      for (auto& output : outputs_)
        HR_TRY(output->Sync());
      if (options_.idle) options_.idle();
    }
    if (!options_.follow && !Stopped()) HR_TRY(FinishInputs());
    if (!options_.follow && !Stopped()) HR_TRY(engine_.FinishTraining());
    HR_TRY(engine_.log().WaitDurable(engine_.log().last_lsn()));
    for (auto& output : outputs_)
      HR_TRY(output->Finish());
    const LocalEngine::Totals& totals = engine_.totals();
    return RunTotals{read_, totals.rows, totals.dead, totals.late, totals.repeats};
  }

 private:
  bool Stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  Status OpenInputs() {
    auto deployment = engine_.deployment();
    for (const auto& [stream, path] : options_.inputs) {
      const Deployed* item = deployment->Find(stream);
      if (item == nullptr || !item->source) {
        return Error(ErrorKind::kNotFound, "HR1204",
                     "no stream " + stream + " to read " + path + " into")
            .WithHint("--input STREAM=FILE names a stream declared with columns");
      }
      ReadPosition position = engine_.PositionOf(item->topic(), path);
      connect::SourcePosition from{position.bytes, position.events};
      Input input{stream, path, item->topic(), nullptr, false};
      HR_ASSIGN(input.source, connect::FileSource::Open(files_, path, item->source->decoded, from,
                                                        options_.follow));
      stored_bytes_ += input.source->stored_bytes();
      inputs_.push_back(std::move(input));
    }
    return Ok();
  }

  Status OpenOutputs() {
    for (const auto& [stream, path] : options_.outputs) {
      std::string checkpoint;
      if (path != "-" && !directory_.empty()) {
        HR_TRY(files_.CreateDirectories(directory_ + "/outputs"));
        checkpoint = directory_ + "/outputs/" + std::to_string(base::Hash64(stream + "=" + path)) +
                     ".position";
      }
      HR_ASSIGN(auto output, OutputFile::Open(engine_, files_, stream, path, checkpoint));
      outputs_.push_back(std::move(output));
    }
    return Ok();
  }

  // One chunk of each input. False when none had anything.
  Result<bool> Turn() {
    bool busy = false;
    for (Input& input : inputs_) {
      if (input.ended) continue;
      HR_ASSIGN(connect::SourceChunk chunk, input.source->Next(kReadEvents));
      input.ended = chunk.last;
      if (chunk.payloads.empty()) continue;
      busy = true;
      HR_TRY(Take(input, chunk));
    }
    return busy;
  }

  // Journals a frame at a time, each with the place in the file behind its last event.
  Status Take(const Input& input, const connect::SourceChunk& chunk) {
    BulkChunk frame;
    frame.topic = input.topic;
    frame.payloads = &chunk.payloads;
    frame.bounded = !options_.follow;
    frame.source = input.source->resumes() ? input.path : "";
    for (size_t begin = 0; begin < chunk.payloads.size(); begin += options_.chunk_events) {
      frame.begin = begin;
      frame.end = std::min(chunk.payloads.size(), begin + options_.chunk_events);
      frame.source_bytes = chunk.ends[frame.end - 1];
      frame.source_events = chunk.end.events - (chunk.payloads.size() - frame.end);
      HR_ASSIGN(log::Lsn lsn, engine_.Ingest(frame));
      for (auto& output : outputs_)
        output->Seal(lsn);
    }
    read_ += chunk.payloads.size();
    if (options_.progress) options_.progress(read_, Share());
    return Release();
  }

  double Share() const {
    uint64_t done = 0;
    for (const Input& input : inputs_)
      done += input.source->stored_bytes_read();
    return stored_bytes_ == 0 ? 0 : static_cast<double>(done) / static_cast<double>(stored_bytes_);
  }

  Status Release() {
    if (const Error* failure = engine_.log().failure()) return *failure;
    log::Lsn durable = engine_.log().durable_lsn();
    for (auto& output : outputs_)
      HR_TRY(output->Release(durable));
    return Ok();
  }

  Status FinishInputs() {
    // Rows that wait for remote models come before the end.
    HR_TRY(engine_.FinishAsks());
    for (const Input& input : inputs_) {
      HR_TRY(engine_.FinishInput(input.stream));
      HR_TRY(engine_.FinishAsks());
      for (auto& output : outputs_)
        output->Seal(engine_.log().last_lsn());
    }
    return Ok();
  }

  LocalEngine& engine_;
  os::FileSystem& files_;
  const RunOptions& options_;
  std::string directory_;
  std::vector<Input> inputs_;
  std::vector<std::unique_ptr<OutputFile>> outputs_;
  uint64_t stored_bytes_ = 0;
  uint64_t read_ = 0;
};

}  // namespace

Result<RunTotals> RunInputs(LocalEngine& engine, os::FileSystem& files, const RunOptions& options,
                            const std::string& data_directory) {
  return BulkRun(engine, files, options, data_directory).Run();
}

}  // namespace headrace::engine
