using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Stripe;

namespace Orderwright.Fuzz.Targets;

/// <summary>
/// Verifies the first line as the signature of the other lines, and reads these as a webhook, once with the given and once with
/// a valid signature. Promises: no reader throws, a signature is valid only if it contains the right digest, and a genuine event
/// contains only text that a database can store.
/// </summary>
static class SignatureTarget
{
    const string Secret = "a secret of the gateway";

    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Signature Signature = new(Encoding.UTF8.GetBytes(Secret));

    delegate WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now);

    static readonly (string Header, ReadWebhook Read)[] Readers =
    [
        (HttpGatewayNames.SignatureHeader, HttpProvider.Create(
            HttpGatewaySettings.Read(Settings(("GatewayUrl", "https://pay.example.com"), ("GatewaySecret", Secret)))!,
            new GatewayLimits(), TimeProvider.System).ReadWebhook),
        (StripeProvider.SignatureHeader, StripeProvider.Create(
            StripeSettings.Read(Settings(("StripeKey", "sk_test_1234567890abcdef"), ("StripeWebhookSecret", Secret)))!,
            new GatewayLimits()).ReadWebhook),
    ];

    public static void Check(byte[] input)
    {
        var end = Array.IndexOf(input, (byte)'\n');
        if (end < 0) return;
        var header = Encoding.UTF8.GetString(input, 0, end);
        var body = input.AsMemory(end + 1);
        if (Signature.IsValid(header, "", body.Span, Now))
            FuzzTarget.Require(ContainsDigest(header, body.Span), "a signature without the digest is valid");
        var valid = Signature.Sign("", body.Span, Now);
        foreach (var (name, read) in Readers)
        {
            read(new HeaderDictionary { [name] = header }, body, Now);
            var reading = read(new HeaderDictionary { [name] = valid }, body, Now);
            FuzzTarget.Require(reading is not WebhookReading.Forged, "a valid signature is refused");
            if (reading is WebhookReading.Genuine genuine)
                foreach (var received in genuine.Events)
                    FuzzTarget.Require(
                        IsStorable(received.Id) && IsStorable(received.Type) && IsStorable(received.Key)
                        && IsStorable(received.Result?.ToString()),
                        $"{name}: an event with text that no database stores");
        }
    }

    // Written independently of the class under test.
    static bool ContainsDigest(string header, ReadOnlySpan<byte> body)
    {
        var time = header[2..header.IndexOf(',', StringComparison.Ordinal)];
        byte[] signed = [.. Encoding.UTF8.GetBytes(time), (byte)'.', .. body];
        var digest = Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed));
        return header.Contains($"v1={digest}", StringComparison.OrdinalIgnoreCase);
    }

    static bool IsStorable(string? text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != OperationStatus.Done || rune.Value == 0) return false;
            rest = rest[length..];
        }
        return true;
    }

    static IConfiguration Settings(params (string Name, string Value)[] values) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(pair => KeyValuePair.Create<string, string?>(pair.Name, pair.Value))).Build();
}
