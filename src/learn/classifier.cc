#include "learn/classifier.h"

#include <bit>

namespace headrace::learn {

int MostVotes(std::span<const double> votes) {
  int best = -1;
  double most = 0;
  for (size_t k = 0; k < votes.size(); ++k) {
    if (!(votes[k] > most)) continue;
    most = votes[k];
    best = static_cast<int>(k);
  }
  return best;
}

void Normalize(Votes& votes) {
  double sum = 0;
  for (double vote : votes)
    sum += vote;
  if (!(sum > 0)) return;
  for (double& vote : votes)
    vote /= sum;
}

void SaveDouble(double value, base::ByteWriter& writer) {
  writer.U64Le(std::bit_cast<uint64_t>(value));
}

double LoadDouble(base::ByteReader& reader) {
  return std::bit_cast<double>(reader.U64Le());
}

void SaveDoubles(std::span<const double> values, base::ByteWriter& writer) {
  writer.Varint(values.size());
  for (double value : values)
    SaveDouble(value, writer);
}

bool LoadDoubles(size_t count_max, std::vector<double>& values, base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (count > count_max || count * sizeof(double) > reader.remaining()) return false;
  values.resize(count);
  for (double& value : values)
    value = LoadDouble(reader);
  return true;
}

}  // namespace headrace::learn
