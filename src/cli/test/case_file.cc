#include "cli/test/case_file.h"

#include <algorithm>

#include <yaml.h>

#include "cli/arguments.h"
#include "row/json_text.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

Error Wrong(const yaml_mark_t& mark, const std::string& what) {
  return Error(ErrorKind::kInvalidArgument, "HR9012", "test case: " + what)
      .AtPlace(std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1));
}

// A document of YAML and what a case reads from it. The YAML library owns the nodes. Confined.
class CaseReader {
 public:
  ~CaseReader() {
    if (loaded_) yaml_document_delete(&document_);
  }

  Result<TestCase> Read(std::string_view yaml) {
    HR_TRY(LoadDocument(yaml));
    const yaml_node_t* root = yaml_document_get_root_node(&document_);
    if (root == nullptr) return Wrong({}, "the file is empty");
    TestCase read;
    HR_TRY(Members(*root, {"name", "script", "sql", "now", "steps"},
                   [&](std::string_view key, const yaml_node_t& value) -> Status {
                     if (key == "steps") return ReadSteps(value, read.steps);
                     std::string& text = key == "name"     ? read.name
                                         : key == "script" ? read.script
                                         : key == "sql"    ? read.sql
                                                           : read.now;
                     return Text(value, &text);
                   }));
    if (read.name.empty()) return Wrong(root->start_mark, "`name` is missing");
    if (read.script.empty() == read.sql.empty()) {
      return Wrong(root->start_mark, "one of `script` and `sql` must be given");
    }
    return read;
  }

 private:
  Status LoadDocument(std::string_view yaml) {
    if (yaml.size() > kCaseBytesMax) return Wrong({}, "the file is too long");
    // Aliases are refused before anything is built of them: a few lines may stand for gigabytes.
    HR_TRY(CheckEvents(yaml));
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    SetInput(parser, yaml);
    loaded_ = yaml_parser_load(&parser, &document_) != 0;
    yaml_parser_delete(&parser);
    return loaded_ ? Ok() : Status(Wrong({}, "the document cannot be read"));
  }

  static void SetInput(yaml_parser_t& parser, std::string_view yaml) {
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(yaml.data()),
                                 yaml.size());
  }

  static Status CheckEvents(std::string_view yaml) {
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    SetInput(parser, yaml);
    Status checked = Ok();
    int depth = 0;
    for (bool ended = false; !ended && checked.ok();) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser, &event) == 0) {
        checked = Wrong(parser.problem_mark, parser.problem ? parser.problem : "no YAML");
        break;
      }
      const bool opens =
          event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
      const bool closes =
          event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
      depth += opens ? 1 : closes ? -1 : 0;
      if (event.type == YAML_ALIAS_EVENT)
        checked = Wrong(event.start_mark, "aliases are not taken");
      if (depth > kCaseDepthMax) checked = Wrong(event.start_mark, "it is too deep");
      ended = event.type == YAML_STREAM_END_EVENT;
      yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return checked;
  }

  const yaml_node_t& At(int node) { return *yaml_document_get_node(&document_, node); }

  template <typename Take>
  Status Items(const yaml_node_t& node, const Take& take) {
    if (node.type != YAML_SEQUENCE_NODE) return Wrong(node.start_mark, "a list is expected");
    for (auto item = node.data.sequence.items.start; item < node.data.sequence.items.top; ++item)
      HR_TRY(take(At(*item)));
    return Ok();
  }

  // `known` empty: any key.
  template <typename Take>
  Status Members(const yaml_node_t& node, const std::vector<std::string_view>& known,
                 const Take& take) {
    if (node.type != YAML_MAPPING_NODE) return Wrong(node.start_mark, "`key: value` is expected");
    for (auto pair = node.data.mapping.pairs.start; pair < node.data.mapping.pairs.top; ++pair) {
      const yaml_node_t& at = At(pair->key);
      std::string key;
      HR_TRY(Text(at, &key));
      if (!known.empty() && std::find(known.begin(), known.end(), key) == known.end()) {
        Error error = Wrong(at.start_mark, "unknown key `" + key + "`");
        const std::string close = Closest(key, known);
        return close.empty() ? error : std::move(error).WithHint("did you mean `" + close + "`?");
      }
      HR_TRY(take(key, At(pair->value)));
    }
    return Ok();
  }

  static std::string_view ScalarOf(const yaml_node_t& node) {
    return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length};
  }

  static Status Text(const yaml_node_t& node, std::string* text) {
    if (node.type != YAML_SCALAR_NODE) return Wrong(node.start_mark, "a text is expected");
    *text = std::string(ScalarOf(node));
    return Ok();
  }

  // As JSON: plain numbers, true, false and null are themselves, everything else is a text.
  Status AppendJson(const yaml_node_t& node, std::string& out) {
    if (node.type == YAML_SEQUENCE_NODE) {
      out += '[';
      HR_TRY(Items(node, [&](const yaml_node_t& item) -> Status {
        if (out.back() != '[') out += ',';
        return AppendJson(item, out);
      }));
      out += ']';
      return Ok();
    }
    if (node.type == YAML_MAPPING_NODE) {
      out += '{';
      HR_TRY(Members(node, {}, [&](std::string_view key, const yaml_node_t& value) -> Status {
        if (out.back() != '{') out += ',';
        row::AppendJsonString(key, out);
        out += ':';
        return AppendJson(value, out);
      }));
      out += '}';
      return Ok();
    }
    std::string_view text = ScalarOf(node);
    const bool plain = node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (text.empty() || text == "~" || text == "null")) {
      out += "null";
    } else if (plain && (text == "true" || text == "false" || row::IsJsonNumber(text))) {
      out += text;
    } else {
      row::AppendJsonString(text, out);
    }
    return Ok();
  }

  Status ReadValue(const yaml_node_t& node, CaseValue& value) {
    value.line = static_cast<int>(node.start_mark.line) + 1;
    return AppendJson(node, value.json);
  }

  Status ReadRows(const yaml_node_t& node, std::vector<CaseRows>& streams) {
    return Members(node, {}, [&](std::string_view stream, const yaml_node_t& list) -> Status {
      CaseRows& rows = streams.emplace_back();
      rows.stream = std::string(stream);
      rows.line = static_cast<int>(list.start_mark.line) + 1;
      return Items(list, [&](const yaml_node_t& item) -> Status {
        rows.lines.push_back(static_cast<int>(item.start_mark.line) + 1);
        CaseRow& row = rows.rows.emplace_back();
        return Members(item, {}, [&](std::string_view column, const yaml_node_t& value) -> Status {
          row.emplace_back(std::string(column), CaseValue{});
          return ReadValue(value, row.back().second);
        });
      });
    });
  }

  Status ReadAnswer(const yaml_node_t& node, CaseStep& step) {
    return Items(node, [&](const yaml_node_t& row) -> Status {
      std::vector<CaseValue>& values = step.rows.emplace_back();
      return Items(row, [&](const yaml_node_t& value) -> Status {
        return ReadValue(value, values.emplace_back());
      });
    });
  }

  Status ReadStep(const yaml_node_t& node, CaseStep& step) {
    int kinds = 0;
    step.line = static_cast<int>(node.start_mark.line) + 1;
    HR_TRY(Members(node, {"events", "expect", "finish", "restart", "query", "rows"},
                   [&](std::string_view key, const yaml_node_t& value) -> Status {
                     if (key == "rows") return ReadAnswer(value, step);
                     ++kinds;
                     if (key == "query") {
                       step.kind = CaseStep::Kind::kQuery;
                       return Text(value, &step.query);
                     }
                     if (key == "restart") return Ok();  // the kind of a step that says nothing
                     if (key == "finish") {
                       step.kind = CaseStep::Kind::kFinish;
                       if (value.type != YAML_SEQUENCE_NODE) return Ok();
                       return Items(value, [&](const yaml_node_t& name) -> Status {
                         return Text(name, &step.finished.emplace_back());
                       });
                     }
                     step.kind =
                         key == "events" ? CaseStep::Kind::kEvents : CaseStep::Kind::kExpect;
                     return ReadRows(value, step.streams);
                   }));
    if (kinds != 1) {
      return Wrong(node.start_mark, "a step is one of events, expect, query, finish, restart");
    }
    return Ok();
  }

  Status ReadSteps(const yaml_node_t& node, std::vector<CaseStep>& steps) {
    return Items(node,
                 [&](const yaml_node_t& item) { return ReadStep(item, steps.emplace_back()); });
  }

  yaml_document_t document_{};
  bool loaded_ = false;
};

}  // namespace

Result<TestCase> ParseCase(std::string_view yaml) {
  return CaseReader().Read(yaml);
}

}  // namespace headrace::cli
