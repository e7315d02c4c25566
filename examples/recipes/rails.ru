# Rails in one file. In an app of your own, the routes go to config/routes.rb and the controller to app/controllers.
require "rails"
require "action_controller/railtie"
require "net/http"

class App < Rails::Application
  config.eager_load = false
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE") { SecureRandom.hex(64) }
  config.hosts.clear
  config.logger = Logger.new($stderr, level: :warn)
end

# What Caddy sends has no CSRF token: ActionController::API checks none.
class RealtimeController < ActionController::API
  before_action :verify, only: :events

  def login # check a password here
    session[:user] = params[:user]
    head :no_content
  end

  def authorize = session[:user] ? render(json: { user: session[:user] }) : head(:unauthorized)

  def message # store it here
    render json: { content: { text: params.dig(:content, :text).upcase, by: params[:user] } }
  end

  def call
    return render(json: { code: "NO_SUCH_METHOD" }, status: :not_found, content_type: "application/problem+json") if params[:method] != "sum"
    render json: { user: params[:user], sum: params[:params].sum }
  end

  def events
    params[:data][:events].each { |e| publish("log", "#{e[:sender] || "the app"} wrote in #{e[:channel]}") }
    head :no_content
  end

  private

  def publish(channel, content)
    Net::HTTP.post(URI("#{ENV.fetch("REALTIME_URL")}/channels/#{ERB::Util.url_encode(channel)}/messages"), { content: content }.to_json,
                   "Authorization" => "Bearer #{ENV.fetch("REALTIME_API_KEY")}", "Content-Type" => "application/json").value # raises if it was rejected
  end

  def verify
    id, time, signatures = %w[id timestamp signature].map { |name| request.headers["webhook-#{name}"] }
    key = Base64.decode64(ENV.fetch("WEBHOOK_SECRET").delete_prefix("whsec_"))
    want = "v1," + Base64.strict_encode64(OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{time}.#{request.raw_post}"))
    fresh = (Time.now.to_i - time.to_i).abs < 300
    head :unauthorized unless fresh && signatures.to_s.split.any? { |s| ActiveSupport::SecurityUtils.secure_compare(want, s) }
  end
end

App.initialize!
App.routes.draw do
  post "/login", to: "realtime#login"
  get "/rt/authorize", to: "realtime#authorize"
  post "/rt/message", to: "realtime#message"
  post "/rt/call", to: "realtime#call"
  post "/rt/notify", to: "realtime#events"
end
run App
