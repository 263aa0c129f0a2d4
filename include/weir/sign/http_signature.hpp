// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/content_digest.hpp>
#include <weir/sign/detail/signature_fields.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_component.hpp>
#include <weir/sign/message_keys.hpp>
#include <weir/sign/message_view.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What has to be true of a body.
enum class body_rule : std::uint8_t {
    ignored, ///< nothing: a Content-Digest is a field like others
    checked, ///< a Content-Digest that is there has to be that of the body
    covered, ///< that; and a body that is not empty has one that is covered. When signing, it is set and covered
};

/// How messages are signed, as both ends agreed. What only one end reads says so.
struct http_signature_options {
    std::vector<std::string> components{"@method", "@target-uri"}; ///< what a signature covers, at least; see `message_component`
    std::vector<std::string> if_present{}; ///< fields that it covers where the message has them: none can be added or taken off
    std::vector<std::string> parameters{"created", "keyid",
                                        "nonce"}; ///< those it has, at least: of created, expires, nonce, alg, keyid, tag
    body_rule body = body_rule::covered;          ///< what has to be true of the body
    std::string label = "sig1";                   ///< its name in the fields; when verifying, empty: any that is right
    std::string tag{};                            ///< what it is for; empty: none. When verifying it has to be this
    std::string scheme = "https";                 ///< how the service is reached: behind a proxy it cannot tell
    std::string authority{};                      ///< the service's name, for requests without Host, as a client has them
    std::chrono::seconds max_age{300};            ///< verifying: how long after `created` it is accepted; not negative
    std::chrono::seconds skew{60};                ///< verifying: how far the clocks may be apart, in both directions
    std::chrono::seconds expires{300};            ///< signing: `expires` is so long after `created`, if it is a parameter
    digest_kind digest = digest_kind::sha_256;    ///< signing: the digest of the body
    std::string key{};                            ///< signing: the name of the key; empty: the newest that can sign
};

/// HTTP Message Signatures (RFC 9421) over requests and responses of any type that is a `verifiable_message`. Several signatures may stand in one
/// message, each with its label: signing adds one, verifying wants one that is right.
///
/// A signature is taken if it covers all of `components`, each once, and those fields of `if_present` that are there; has all of `parameters`, each once and
/// of its type; is of an algorithm that is its key's; is neither too old, nor from the future, nor expired; and if the body is as `body` says. A field that is covered and stands in several
/// lines is signed with all of them. What is not covered may have been changed by anybody: name what your handler trusts, or read nothing else.
///
/// What is bounded: 16 labels, of which the first four that could be right are tried; 64 components; the fields' length by 65,536 bytes.
/// Immutable, so thread-safe. Clocks are given; times are whole seconds, as in the RFC. A nonce is only told: see `replay_guard`.
class http_signature {
public:
    using options = http_signature_options;

    /// Throws `std::invalid_argument` naming the member that is wrong.
    explicit http_signature(options o = {}) : options_(std::move(o))
    {
        using namespace std::chrono_literals;
        for (std::string const& text : options_.components) {
            components_.emplace_back(text);
            for (std::size_t i = 0; i + 1 < components_.size(); ++i)
                expect(!components_[i].same_as(components_.back()), "components", "each component once");
        }
        for (std::string const& name : options_.if_present) {
            message_component const field(name);
            expect(field.is_field(field.name()) && !name.starts_with('@'), "if_present", "names of fields");
            if_present_.push_back(field);
        }
        expect(components_.size() + if_present_.size() < detail::max_components, "components", "less than 64 with those of if_present");
        for (std::string const& name : options_.parameters) {
            expect(detail::is_signature_parameter(name), "parameters", "created, expires, nonce, alg, keyid or tag");
            expect(name != "tag" || !options_.tag.empty(), "tag", "a text, as it is one of the parameters");
        }
        sf::dictionary label;
        label.set(options_.label, sf::item{});
        expect(options_.label.empty() || sf::write(label).has_value(), "label", "lower-case letters, digits, _ - . *");
        expect(sf::write(sf::item{options_.tag, {}}).has_value(), "tag", "printable ASCII");
        expect(!options_.scheme.empty(), "scheme", "https or http");
        for (auto const& [member, value] : {std::pair("max_age", options_.max_age), {"skew", options_.skew}, {"expires", options_.expires}})
            expect(value >= 0s && value <= std::chrono::days(3650), member, "0 to 3650 days");
    }

    [[nodiscard]] options const& settings() const noexcept { return options_; }

    void describe(auto&& field) const
    {
        field("label", std::string_view(options_.label));
        field("components", components_.size());
        field("max_age", duration(options_.max_age));
        field("skew", duration(options_.skew));
    }

    /// Signs a request: sets Content-Digest if there is a body, and adds to Signature-Input and Signature. Nothing that is covered may change afterwards.
    /// Without a key, or if a component is not there, or the label taken, nothing but the digest is set.
    template<signable_message M, class Threading>
    message_check sign(M& message, message_keys<Threading> const& keys, wall_time now, std::string_view nonce = {}) const
    {
        return sign_bound<M, M>(message, nullptr, keys, now, nonce);
    }
    /// Signs a response, bound to the request that it answers by the components with `req`.
    template<signable_message M, verifiable_message R, class Threading>
    message_check sign_answer(M& response, R const& request, message_keys<Threading> const& keys, wall_time now,
                              std::string_view nonce = {}) const
    {
        return sign_bound(response, &request, keys, now, nonce);
    }

    /// Whether the message has a signature as it has to be.
    template<verifiable_message M, class Threading>
    message_check verify(M const& message, message_keys<Threading> const& keys, wall_time now) const
    {
        return verify(message_view(message), nullptr, detail::key_source(keys), now);
    }
    /// Whether a response has one, given the request that it answers as it was sent.
    template<verifiable_message M, verifiable_message R, class Threading>
    message_check verify_answer(M const& response, R const& request, message_keys<Threading> const& keys, wall_time now) const
    {
        message_view const asked(request);
        return verify(message_view(response), &asked, detail::key_source(keys), now);
    }

private:
    static constexpr std::size_t max_tried = 4;

    template<class M, class R, class Threading>
    message_check sign_bound(M& message, R const* request, message_keys<Threading> const& keys, wall_time now, std::string_view nonce) const
    {
        message_check made{.signed_at = std::chrono::floor<std::chrono::seconds>(now)};
        auto const key = keys.signer(now, options_.key);
        if (!key) return failed(std::move(made), message_fault::unknown_key, options_.key);
        made.signer = key->id;
        std::optional<message_view> const asked = request == nullptr ? std::nullopt : std::optional<message_view>(std::in_place, *request);
        // What answers HEAD loses its body on the way (RFC 9110 section 9.3.2).
        bool const has_body = !weir::body(message).empty() && !(asked && asked->method() == "HEAD");
        if (options_.body == body_rule::covered && has_body)
            set_header(message, "Content-Digest", content_digest(weir::body(message), options_.digest));
        message_view const view(message);
        std::string input, signature;
        made = sign(view, asked ? &*asked : nullptr, has_body, *key, nonce, std::move(made), input, signature);
        if (!made) return made;
        set_header(message, "Signature-Input", input);
        set_header(message, "Signature", signature);
        return made;
    }

    message_check sign(message_view const& message, message_view const* request, bool has_body, message_key const& key,
                       std::string_view nonce, message_check made, std::string& input, std::string& signature) const
    {
        std::vector<message_component> covered = components_;
        for (message_component const& field : if_present_)
            if (!is_covered(field, covered) && has(message, field)) covered.push_back(field);
        bool const has_digest = is_covered(digest_, covered);
        if (options_.body == body_rule::covered && has_body && !has_digest) covered.push_back(digest_);

        std::string const label = options_.label.empty() ? "sig1" : options_.label;
        sf::inner_list parameters;
        std::int64_t const created = std::chrono::duration_cast<std::chrono::seconds>(made.signed_at.time_since_epoch()).count();
        for (std::string const& name : options_.parameters) {
            sf::bare_item value;
            if (name == "created") value = created;
            if (name == "expires") value = created + std::int64_t{options_.expires.count()};
            if (name == "nonce") value = std::string(nonce);
            if (name == "alg") value = std::string(to_string(key.key.algorithm()));
            if (name == "keyid") value = key.id;
            if (name == "tag") value = options_.tag;
            parameters.params.set(name, std::move(value));
        }
        if (!options_.tag.empty()) parameters.params.set("tag", options_.tag);
        std::string list;
        if (auto where = detail::append_base(made.base, list, covered, parameters, message, request, origin()))
            return failed(std::move(made), message_fault::missing, *std::move(where));
        made.unique = nonce.empty() ? made.base : std::string(nonce);

        auto const earlier = detail::read_signatures(message);
        if (earlier.fault != message_fault::none && earlier.fault != message_fault::missing)
            return failed(std::move(made), earlier.fault, std::string(earlier.where));
        if (earlier.inputs.find(label) != nullptr || earlier.signatures.find(label) != nullptr)
            return failed(std::move(made), message_fault::malformed, "label " + label);
        if (!earlier.inputs.empty()) {
            input = sf::write(earlier.inputs).value_or("") + ", ";
            signature = sf::write(earlier.signatures).value_or("") + ", ";
        }
        ((input += label) += '=') += list;
        (((signature += label) += "=:") += to_base64(key.key.sign(made.base))) += ':';
        return made;
    }

    message_check verify(message_view const& message, message_view const* request, detail::key_source keys, wall_time now) const
    {
        auto const given = detail::read_signatures(message);
        if (given.fault != message_fault::none) return failed({}, given.fault, std::string(given.where));
        if (!options_.label.empty()) return judge(given, options_.label, message, request, keys, now);
        std::optional<message_check> first;
        std::size_t tried = 0;
        for (auto const& [label, input] : given.inputs) {
            message_check found = judge(given, label, message, request, keys, now);
            if (found) return found;
            tried += found.fault >= message_fault::wrong_signature;
            if (!first) first = std::move(found);
            if (tried == max_tried) break;
        }
        return first ? *std::move(first) : failed({}, message_fault::missing, "signature-input");
    }

    message_check judge(detail::signature_fields const& given, std::string const& label, message_view const& message,
                        message_view const* request, detail::key_source keys, wall_time now) const
    {
        message_check found;
        auto const* const input = given.inputs.get<sf::inner_list>(label);
        auto const* const item = given.signatures.get<sf::item>(label);
        auto const* const signature = item == nullptr ? nullptr : std::get_if<sf::bytes>(&item->value);
        if (given.inputs.find(label) == nullptr || given.signatures.find(label) == nullptr)
            return failed(std::move(found), message_fault::missing, "label " + label);
        if (input == nullptr || signature == nullptr) return failed(std::move(found), message_fault::malformed, "label " + label);
        if (message_fault const f = judge_parameters(input->params, now, found); f != message_fault::none) {
            std::string where = found.where;
            return failed(std::move(found), f, std::move(where));
        }

        std::vector<message_component> covered;
        if (auto where = detail::read_components(*input, covered))
            return failed(std::move(found), message_fault::malformed, *std::move(where));
        for (message_component const& wanted : components_) {
            if (!is_covered(wanted, covered)) return failed(std::move(found), message_fault::not_covered, wanted.identifier());
        }
        for (message_component const& field : if_present_) {
            if (!is_covered(field, covered) && has(message, field))
                return failed(std::move(found), message_fault::not_covered, field.identifier());
        }
        if (options_.body == body_rule::covered && !message.body().empty() && !is_covered(digest_, covered))
            return failed(std::move(found), message_fault::not_covered, "content-digest");

        std::string list;
        if (auto where = detail::append_base(found.base, list, covered, *input, message, request, origin()))
            return failed(std::move(found), message_fault::missing, *std::move(where));
        if (found.unique.empty()) found.unique = found.base;
        auto const key = keys.find(found.signer, now);
        auto const* const algorithm = input->params.get<std::string>("alg");
        if (!key || (algorithm != nullptr && *algorithm != to_string(key->algorithm())))
            return failed(std::move(found), message_fault::unknown_key, {});
        if (!key->verify(found.base, signature->data)) return failed(std::move(found), message_fault::wrong_signature, {});
        if (options_.body != body_rule::ignored && !detail::body_fits(message))
            return failed(std::move(found), message_fault::wrong_digest, "content-digest");
        return found;
    }

    message_fault judge_parameters(sf::parameters const& given, wall_time now, message_check& found) const
    {
        for (std::string const& name : options_.parameters) {
            found.where = name;
            if (given.find(name) == nullptr) return message_fault::missing;
        }
        for (auto const& [name, value] : given) {
            found.where = name;
            bool const number = name == "created" || name == "expires";
            if (detail::is_signature_parameter(name) &&
                !(number ? std::holds_alternative<std::int64_t>(value) : std::holds_alternative<std::string>(value)))
                return message_fault::malformed;
        }
        auto const* const tag = given.get<std::string>("tag");
        found.where = "tag";
        if (!options_.tag.empty() && (tag == nullptr || *tag != options_.tag)) return message_fault::not_covered;
        if (auto const* const id = given.get<std::string>("keyid")) found.signer = *id;
        if (auto const* const nonce = given.get<std::string>("nonce")) found.unique = *nonce;

        std::int64_t const seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        std::int64_t const skew = options_.skew.count(), max_age = options_.max_age.count();
        found.where = "created";
        if (auto const* const created = given.get<std::int64_t>("created")) {
            found.signed_at = wall_time(std::chrono::seconds(std::clamp<std::int64_t>(*created, 0, std::int64_t{1} << 37)));
            if (seconds - *created > max_age + skew) return message_fault::late;
            if (*created - seconds > skew) return message_fault::early;
        }
        found.where = "expires";
        if (auto const* const expires = given.get<std::int64_t>("expires"); expires != nullptr && seconds - *expires > skew)
            return message_fault::late;
        found.where.clear();
        return message_fault::none;
    }

    static bool is_covered(message_component const& wanted, std::vector<message_component> const& by) noexcept
    {
        for (message_component const& c : by)
            if (c.covers(wanted)) return true;
        return false;
    }
    static bool has(message_view const& message, message_component const& field) { return !message.fields(field.name()).empty(); }
    [[nodiscard]] message_origin origin() const noexcept { return {options_.scheme, options_.authority}; }
    static message_check failed(message_check found, message_fault fault, std::string where)
    {
        found.fault = fault;
        found.where = std::move(where);
        return found;
    }

    options options_;
    std::vector<message_component> components_, if_present_;
    message_component digest_{"content-digest"};
};

} // namespace weir::inline v0
