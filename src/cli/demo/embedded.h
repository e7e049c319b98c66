#pragma once

#include <string_view>

namespace headrace::cli {

// Files of examples/fraud that the program carries with it.
std::string_view DemoScript();  // app.sql
std::string_view DemoLabels();  // chargebacks.sql
std::string_view DemoModel();   // fraud.lgb.txt

// examples/retail/app.sql.
std::string_view RetailScript();

}  // namespace headrace::cli
