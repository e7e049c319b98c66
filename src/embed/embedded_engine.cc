#include "embed/embedded_engine.h"

#include <optional>
#include <utility>

#include "schema/codec.h"

namespace headrace {

Result<std::unique_ptr<Engine>> Engine::Open(const std::string& directory) {
  HR_ASSIGN(auto opened,
            embed::EmbeddedEngine::Open(os::MakePosixFileSystem(),
                                        std::make_unique<os::SystemClock>(), directory));
  return std::unique_ptr<Engine>(std::move(opened));
}

}  // namespace headrace

namespace headrace::embed {

Result<std::unique_ptr<EmbeddedEngine>> EmbeddedEngine::Open(std::unique_ptr<os::FileSystem> files,
                                                             std::unique_ptr<os::Clock> clock,
                                                             const std::string& directory) {
  std::unique_ptr<EmbeddedEngine> made(new EmbeddedEngine(std::move(files), std::move(clock)));
  engine::EngineOptions options;
  options.directory = directory;
  options.caller = &made->caller_;
  HR_ASSIGN(made->engine_, engine::Engine::Open(*made->files_, *made->clock_, made->metrics_,
                                                std::move(options), nullptr));
  return made;
}

Status EmbeddedEngine::Execute(std::string_view script, const std::string& name) {
  return engine_->Execute(script, name);
}

Result<Answer> EmbeddedEngine::Send(const std::string& topic, std::vector<std::string> events,
                                    const std::string& rows_of) {
  std::optional<engine::IngestReply> reply;
  engine::IngestRequest request;
  request.topic = topic;
  request.payloads = std::move(events);
  request.return_stream = rows_of;
  request.done = [&reply](engine::IngestReply given) { reply = std::move(given); };
  engine_->Submit(std::move(request));
  while (!reply) {
    engine_->Pump();
    // A journal that has failed is told by the reply, too.
    Status durable = engine_->log().WaitDurable(engine_->log().last_lsn());
    engine_->Complete();
    if (!durable.ok() && !reply) return std::move(durable).error();
    if (!reply) engine_->AwaitAnswer();
  }
  if (reply->error) return *std::move(reply->error);
  Answer answer;
  answer.accepted = reply->accepted;
  answer.rows = std::move(reply->rows);
  for (engine::Rejection& rejection : reply->rejected) {
    answer.refused.push_back({rejection.index, std::move(rejection.error)});
  }
  return answer;
}

Result<std::vector<std::string>> EmbeddedEngine::Query(std::string_view sql) const {
  HR_ASSIGN(engine::QueryResult result, engine_->Query(sql));
  const schema::JsonEncoder encoder(result.columns);
  std::vector<std::string> rows;
  rows.reserve(result.rows.size());
  for (const std::vector<row::Value>& values : result.rows)
    encoder.Append(values.data(), rows.emplace_back());
  return rows;
}

Result<std::string> EmbeddedEngine::Why(std::string_view id) const {
  return engine_->Why(id);
}

Status EmbeddedEngine::Close() {
  return engine_->Close();
}

}  // namespace headrace::embed
