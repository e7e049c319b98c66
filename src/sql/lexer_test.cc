#include "sql/parser_testing.h"
