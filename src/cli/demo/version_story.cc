#include "cli/demo/version_story.h"

#include <utility>

#include "cli/command.h"
#include "cli/demo/decision_meter.h"
#include "cli/demo/embedded.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr size_t kLineMax = 100;
// From a payment to what it turned out to be.
constexpr int64_t kTruthDelay = int64_t{10} * 86'400 * 1'000'000;

// As a shell reads it.
std::string Typed(const std::vector<std::string>& words) {
  std::string line = "headrace";
  for (const std::string& word : words) {
    const bool plain = word.find_first_of(" '\"$`\\*?&|;<>()") == std::string::npos;
    line += plain ? " " + word : " '" + word + "'";
  }
  return line;
}

std::string TruthJson(const Payment& payment) {
  // What a payment is named is in its JSON; the rest of that is no business of the bank's.
  const std::string json = payment.Json();
  std::string out = json.substr(0, json.find(','));
  out += payment.pattern == Pattern::kHonest ? ",\"is_fraud\":0,\"ts\":\""
                                             : ",\"is_fraud\":1,\"ts\":\"";
  row::AppendRfc3339(payment.ts_micros + kTruthDelay, out);
  return out + "\"}\n";
}

}  // namespace

std::string VersionStory::File(std::string_view name) const {
  return place_.directory + "/demo/" + std::string(name);
}

VersionStory::Words VersionStory::WithLabels(Words words) const {
  for (const char* word : {"--labels", "chargebacks", "--on", "tx_id", "--label", "is_fraud"}) {
    words.emplace_back(word);
  }
  return words;
}

bool VersionStory::Run(std::string_view says, Words words) {
  const std::string typed = Typed(words);
  std::string line(says);
  if (!line.empty()) line += line.size() + typed.size() + 2 > kLineMax ? ":\n" : ": ";
  place_.console.Out("\n" + line + typed + "\n");
  place_.console.Flush();  // before what the command says on standard error
  ended_ = RunCommandLine(words, place_.console);
  place_.console.Flush();
  return ended_ == ExitCode::kOk;
}

bool VersionStory::RunHere(std::string_view says, Words words) {
  words.emplace_back("--data");
  words.push_back(place_.directory);
  return Run(says, std::move(words));
}

Result<bool> VersionStory::TellTruth(std::string_view says, uint64_t events) {
  std::string lines;
  for (uint64_t i = 0; i < events; ++i)
    lines += TruthJson(truth_.Next());
  const std::string file = File("chargebacks" + std::to_string(++truths_) + ".jsonl");
  HR_TRY(os::ReplaceFile(place_.files, file, lines));
  const std::string script = File("chargebacks.sql");
  HR_TRY(os::ReplaceFile(place_.files, script, DemoLabels()));
  return RunHere(says, {"run", script, "--input", "chargebacks=" + file});
}

bool VersionStory::Learn() {
  const std::string rows = File("rows.csv");
  const std::string second = File("second.lgb.txt");
  return RunHere("The rows as they were decided on, each with what it was",
                 WithLabels({"training-set", "decisions", "--output", rows})) &&
         Run("A second model learns from them",
             {"model", "train", "--input", rows, "--label", "is_fraud", "--objective", "binary",
              "--ignore", "tx_id,card,terminal,ts,risk,decision", "--output", second}) &&
         RunHere("What if it had decided",
                 WithLabels({"replay", "decisions", "--set", "fraud=" + second, "--diff", "--sum",
                             "amount", "--sample", "1"}));
}

bool VersionStory::Shadow() {
  return RunHere("It becomes version 2", {"model", "add", "fraud", File("second.lgb.txt")}) &&
         RunHere("As a shadow it is compared, and decides nothing",
                 {"model", "shadow", "fraud", "2"});
}

bool VersionStory::Promote() {
  if (!RunHere("How it would have decided", WithLabels({"model", "show", "fraud"}))) return false;
  // What decides much otherwise is held back; a seed may give a model that does not.
  if (RunHere("It shall decide, if the gate lets it", {"model", "promote", "fraud", "2"})) {
    return true;
  }
  if (ended_ != ExitCode::kFailed) return false;
  const Words wider = WithLabels({"model", "promote", "fraud", "2", "--max-flips", "20"});
  if (RunHere("Too many others; but those who look at the labels open the gate wider", wider)) {
    return true;
  }
  return ended_ == ExitCode::kFailed &&
         RunHere("Shut again; whoever answers for it can overrule it",
                 {"model", "promote", "fraud", "2", "--reason", "the demo goes on"});
}

bool VersionStory::RollBack() {
  return RunHere("Back to the version before", {"model", "rollback", "fraud"}) &&
         RunHere("Which version decided, from which place in the journal on",
                 {"model", "show", "fraud"}) &&
         RunHere("Every row, by whichever version, computed again", {"verify"});
}

Result<ExitCode> VersionStory::Play(uint64_t events, const std::string& explained) {
  if (!explained.empty() && !RunHere("One of them explained", {"why", explained})) return ended_;
  if (events < kEventsMin) {
    place_.console.Out("\nWith " + CountText(kEventsMin) +
                       " payments or more a second model is learned, tried and promoted.\n");
    return ExitCode::kOk;
  }
  HR_ASSIGN(bool told,
            TellTruth("What they really were is known later, and comes in as events", events));
  if (!told || !Learn() || !Shadow()) return ended_;
  HR_TRY(stream_in_(events / 4));
  HR_ASSIGN(told, TellTruth("What these were", events / 4));
  if (!told || !Promote()) return ended_;
  HR_TRY(stream_in_(events / 10));
  RollBack();
  return ended_;
}

}  // namespace headrace::cli
