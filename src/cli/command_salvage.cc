#include <filesystem>
#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "engine/salvage.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

using Report = log::SalvageReport;

std::string Count(uint64_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

// "LSN 5", "LSN 5 to 7".
std::string Range(log::Lsn first, log::Lsn last) {
  return "LSN " + std::to_string(first) + (last > first ? " to " + std::to_string(last) : "");
}

std::string Between(log::Lsn after, log::Lsn before) {
  std::string text = after > 0 ? "behind LSN " + std::to_string(after) : "";
  if (before > 0) text += (text.empty() ? "" : ", ") + ("before LSN " + std::to_string(before));
  return text.empty() ? "" : " (" + text + ")";
}

std::string DamageText(const log::Damage& damage) {
  std::string text = "damaged: " + damage.path;
  if (damage.to > damage.from) {
    text += ", bytes " + std::to_string(damage.from) + " to " + std::to_string(damage.to - 1);
  }
  if (damage.last_lsn > 0) text += ", " + Range(damage.first_lsn, damage.last_lsn);
  return text + ": " + damage.what + "\n";
}

std::string OffsetsText(const Report::Offsets& lost) {
  return "lost: " + lost.topic + ":" + std::to_string(lost.partition) + ", " +
         Count(static_cast<uint64_t>(lost.to - lost.from), "record") + ", offset " +
         std::to_string(lost.from) +
         (lost.to - lost.from > 1 ? " to " + std::to_string(lost.to - 1) : "") +
         Between(lost.after_lsn, lost.before_lsn) + "\n";
}

std::string LossesText(const engine::SalvageResult& result) {
  const Report& report = result.log;
  std::string text;
  for (const log::Damage& damage : report.damage)
    text += DamageText(damage);
  for (const Report::Offsets& lost : report.offsets)
    text += OffsetsText(lost);
  for (const Report::Controls& lost : report.controls) {
    text += "lost: " + Count(lost.count, "statement") + " or other control" +
            Between(lost.after_lsn, lost.before_lsn) + "\n";
  }
  for (const Report::Lsns& lost : report.lsns) {
    text += "lost: " + Range(lost.first, lost.last) + ", which only the journal had\n";
  }
  for (const auto& left : result.left_out) {
    text += "left out: " + (left.name.empty() ? "a control" : "a control of " + left.name) +
            " at LSN " + std::to_string(left.lsn) + ": " + left.reason + "\n";
  }
  if (report.unaccounted > 0) {
    text += Count(report.unaccounted, "LSN") +
            " of no entry: without the manifest nothing tells whether these are lost, or were "
            "removed by retention\n";
  }
  for (const std::string& topic : report.guessed) {
    text += "topic " + topic + ": its partitions were counted, its retention is not known\n";
  }
  if (report.torn_bytes > 0) {
    text += std::to_string(report.torn_bytes) + " bytes at the end of " + report.torn_path +
            " are of a write that a crash cut off; nothing of it had been acknowledged\n";
  }
  if (result.lost_from > 0) {
    text += "rows caused from LSN " + std::to_string(result.lost_from) +
            " on stand as they were logged and cannot be computed again\n";
  }
  return text;
}

class Document {
 public:
  Document& Text(std::string_view key, std::string_view value) {
    Key(key);
    row::AppendJsonString(value, out_);
    return *this;
  }
  template <typename T>
  Document& Number(std::string_view key, T value) {
    return Raw(key, std::to_string(value));
  }
  // An LSN or offset that may be unknown.
  Document& Maybe(std::string_view key, log::Lsn lsn) {
    return Raw(key, lsn > 0 ? std::to_string(lsn) : "null");
  }
  Document& Raw(std::string_view key, std::string_view value) {
    Key(key);
    out_ += value;
    return *this;
  }
  std::string Finish() { return (out_.empty() ? "{" : out_) + "}"; }

 private:
  void Key(std::string_view key) {
    out_ += out_.empty() ? "{" : ",";
    row::AppendJsonString(key, out_);
    out_ += ":";
  }
  std::string out_;
};

template <typename T, typename Each>
std::string Array(const std::vector<T>& items, Each each) {
  std::string out = "[";
  for (const T& item : items)
    out += (out.size() > 1 ? "," : "") + each(item);
  return out + "]";
}

std::string DamageJson(const log::Damage& damage) {
  return Document()
      .Text("file", damage.path)
      .Number("from", damage.from)
      .Number("to", damage.to)
      .Maybe("first_lsn", damage.first_lsn)
      .Maybe("last_lsn", damage.last_lsn)
      .Text("what", damage.what)
      .Finish();
}

std::string OffsetsJson(const Report::Offsets& lost) {
  return Document()
      .Text("topic", lost.topic)
      .Number("partition", lost.partition)
      .Number("from", lost.from)
      .Number("to", lost.to)
      .Maybe("after_lsn", lost.after_lsn)
      .Maybe("before_lsn", lost.before_lsn)
      .Finish();
}

std::string ReportJson(const engine::SalvageResult& result) {
  const Report& report = result.log;
  auto controls = [](const Report::Controls& lost) {
    return Document()
        .Number("count", lost.count)
        .Maybe("after_lsn", lost.after_lsn)
        .Maybe("before_lsn", lost.before_lsn)
        .Finish();
  };
  auto lsns = [](const Report::Lsns& lost) {
    return Document().Number("first", lost.first).Number("last", lost.last).Finish();
  };
  auto left_out = [](const engine::SalvageResult::LeftOut& left) {
    return Document()
        .Number("lsn", left.lsn)
        .Text("name", left.name)
        .Text("reason", left.reason)
        .Finish();
  };
  auto text = [](const std::string& name) {
    std::string out;
    row::AppendJsonString(name, out);
    return out;
  };
  return Document()
             .Raw("complete", result.complete() ? "true" : "false")
             .Number("lsn", report.last_lsn)
             .Number("batches", report.batches)
             .Number("records", report.records)
             .Number("bytes", report.bytes)
             .Raw("missing", Array(report.offsets, OffsetsJson))
             .Raw("missing_controls", Array(report.controls, controls))
             .Raw("missing_lsns", Array(report.lsns, lsns))
             .Raw("left_out", Array(result.left_out, left_out))
             .Number("unaccounted", report.unaccounted)
             .Raw("guessed", Array(report.guessed, text))
             .Number("torn_bytes", report.torn_bytes)
             .Maybe("lost_from_lsn", result.lost_from)
             .Raw("damage", Array(report.damage, DamageJson))
             .Finish() +
         "\n";
}

// As the file system will take it, so that one within the other is seen.
std::string Absolute(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path full = std::filesystem::weakly_canonical(path, ignored);
  std::string text = ignored ? path : full.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/')
    text.pop_back();
  return text;
}

ExitCode RunLogSalvage(const Arguments& arguments, Console& console) {
  const std::string* from = arguments.Find("--data");
  const std::string* to = arguments.Find("--to");
  if (from == nullptr) return console.FailUsage("--data DIR is missing", "log salvage");
  if (to == nullptr) return console.FailUsage("--to DIR is missing", "log salvage");
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  os::SystemClock clock;
  Result<engine::SalvageResult> result =
      engine::Salvage(*files, clock, Absolute(*from), Absolute(*to));
  if (!result.ok()) return console.Fail(result.error());
  console.Note(LossesText(*result));
  if (arguments.Has("--json")) console.Out(ReportJson(*result));
  console.Note(*to + " holds " + Count(result->log.records, "record") + " in " +
               std::to_string(result->log.batches) + " batches, up to LSN " +
               std::to_string(result->log.last_lsn) +
               (result->complete() ? ": nothing is missing\n" : ": the rest is lost\n"));
  return result->complete() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

Command LogSalvageCommand() {
  return {.name = "log salvage",
          .group = "Operate",
          .summary = "make a new data directory of what is whole in a damaged one",
          .flags = {{"--data", "DIR", "the damaged data directory; it is not changed"},
                    {"--to", "DIR", "the data directory to make; not there yet, or empty"},
                    {"--json", "", "what is missing, as one JSON document"}},
          .more =
              "Says what is lost: offsets by topic partition, bytes and LSNs by file. Exit 1 "
              "when anything is.\n",
          .run = RunLogSalvage};
}

}  // namespace headrace::cli
