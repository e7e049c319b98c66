#include "learn/hddm_w.h"

#include <cmath>
#include <limits>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {

HddmW::HddmW(const Options& options)
    : options_(options),
      drift_log_(base::Log(1 / options.drift_confidence)),
      warning_log_(base::Log(1 / options.warning_confidence)) {
  HR_CHECK(options.drift_confidence > 0 && options.drift_confidence < 1 &&
           options.warning_confidence > 0 && options.warning_confidence < 1 && options.lambda > 0 &&
           options.lambda < 1);
  Reset();
}

void HddmW::Reset() {
  all_ = {};
  rise_ = {{}, {}, std::numeric_limits<double>::infinity()};
  fall_ = {{}, {}, -std::numeric_limits<double>::infinity()};
  changed_ = warned_ = false;
}

void HddmW::Add(double value, Sample& sample) const {
  const double lambda = options_.lambda;
  sample.mean = sample.begun ? lambda * value + (1 - lambda) * sample.mean : value;
  sample.weight = lambda * lambda + (1 - lambda) * (1 - lambda) * sample.weight;
  sample.begun = true;
}

bool HddmW::Differ(const Sample& low, const Sample& high, double log_term) const {
  if (!low.begun || !high.begun) return false;
  return high.mean - low.mean > std::sqrt((low.weight + high.weight) * log_term / 2);
}

bool HddmW::Add(double value) {
  if (changed_) Reset();
  Add(value, all_);
  const double bound = std::sqrt(all_.weight * drift_log_ / 2);
  if (all_.mean + bound < rise_.level) {
    rise_ = {all_, {}, all_.mean + bound};
  } else {
    Add(value, rise_.after);
  }
  if (all_.mean - bound > fall_.level) {
    fall_ = {all_, {}, all_.mean - bound};
  } else {
    Add(value, fall_.after);
  }
  changed_ = Differ(rise_.before, rise_.after, drift_log_);
  warned_ = !changed_ && Differ(rise_.before, rise_.after, warning_log_);
  if (!options_.two_sided) return changed_;
  if (Differ(fall_.after, fall_.before, drift_log_)) {
    changed_ = true;
  } else if (Differ(fall_.after, fall_.before, warning_log_)) {
    warned_ = true;
  }
  warned_ = warned_ && !changed_;
  return changed_;
}

void HddmW::Save(base::ByteWriter& writer) const {
  writer.U8(static_cast<uint8_t>((changed_ ? 1 : 0) | (warned_ ? 2 : 0)));
  for (const Sample* sample : {&all_, &rise_.before, &rise_.after, &fall_.before, &fall_.after}) {
    writer.U8(sample->begun ? 1 : 0);
    SaveNumber(sample->mean, writer);
    SaveNumber(sample->weight, writer);
  }
  SaveNumber(rise_.level, writer);
  SaveNumber(fall_.level, writer);
}

bool HddmW::Load(base::ByteReader& reader) {
  const uint8_t flags = reader.U8();
  changed_ = (flags & 1) != 0;
  warned_ = (flags & 2) != 0;
  bool good = flags <= 3;
  for (Sample* sample : {&all_, &rise_.before, &rise_.after, &fall_.before, &fall_.after}) {
    const uint8_t begun = reader.U8();
    good = good && begun <= 1;
    sample->begun = begun == 1;
    sample->mean = LoadNumber(reader);
    sample->weight = LoadNumber(reader);
  }
  rise_.level = LoadNumber(reader);
  fall_.level = LoadNumber(reader);
  return good && reader.ok();
}

}  // namespace headrace::learn
