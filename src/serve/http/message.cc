#include "serve/http/message.h"

#include <algorithm>
#include <utility>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::string_view ToString(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOther:
      return "other";
  }
  return "other";
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view FindHeader(std::span<const Header> headers, std::string_view name) {
  for (const Header& header : headers) {
    if (EqualsIgnoringCase(header.name, name)) return header.value;
  }
  return {};
}

void AnswerFrom(QueryRunner& runner, std::function<Response()> work, Answer answer) {
  auto response = std::make_shared<Response>();
  bool runs = runner.Run([work = std::move(work), response] { *response = work(); },
                         [answer, response] { answer(std::move(*response)); });
  if (runs) return;
  answer(Problem(Error(ErrorKind::kUnavailable, kTooBusy, "too many queries wait already")
                     .WithHint("try again in a moment")));
}

}  // namespace headrace::serve
