#include "cli/demo/embedded.h"

// The assembler copies the files into the program; the build gives it their folder.
// NOLINTBEGIN
#define HEADRACE_EMBED(name, file)                              \
  __asm__(                                                      \
      ".section .rodata\n"                                      \
      ".balign 16\n" #name                                      \
      "_begin:\n"                                               \
      ".incbin \"" HEADRACE_EXAMPLES "/" file "\"\n" #name      \
      "_end:\n"                                                 \
      ".byte 0\n"                                               \
      ".previous\n");                                           \
  extern "C" const char name##_begin[] __asm__(#name "_begin"); \
  extern "C" const char name##_end[] __asm__(#name "_end")

HEADRACE_EMBED(headrace_demo_script, "fraud/app.sql");
HEADRACE_EMBED(headrace_demo_labels, "fraud/chargebacks.sql");
HEADRACE_EMBED(headrace_demo_model, "fraud/fraud.lgb.txt");
HEADRACE_EMBED(headrace_retail_script, "retail/app.sql");
// NOLINTEND

namespace headrace::cli {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view DemoScript() {
  return Between(headrace_demo_script_begin, headrace_demo_script_end);
}

std::string_view DemoLabels() {
  return Between(headrace_demo_labels_begin, headrace_demo_labels_end);
}

std::string_view DemoModel() {
  return Between(headrace_demo_model_begin, headrace_demo_model_end);
}

std::string_view RetailScript() {
  return Between(headrace_retail_script_begin, headrace_retail_script_end);
}

}  // namespace headrace::cli
