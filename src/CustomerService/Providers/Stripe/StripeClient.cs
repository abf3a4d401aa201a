using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>Stripe's response: an object, an error, or neither.</summary>
sealed record StripeResponse<T>(HttpStatusCode Status, T? Value, StripeFault? Fault) where T : class;

/// <summary>
/// Client of the few endpoints of Stripe's API in use, pinned to <see cref="Version"/>
/// (https://docs.stripe.com/api/versioning). The client never retries. A failed call throws
/// <see cref="HttpRequestException"/>.
/// </summary>
sealed class StripeClient(HttpClient http, string key)
{
    public const string Version = "2026-10-28.endive";

    readonly AuthenticationHeaderValue authorization = new("Bearer", key);

    public Task<StripeResponse<T>> PostAsync<T>(
        string path, string idempotencyKey, IEnumerable<KeyValuePair<string, string>> form, JsonTypeInfo<T> type,
        CancellationToken cancel) where T : class
    {
        var message = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
        message.Headers.Add("Idempotency-Key", idempotencyKey);
        return SendAsync(message, type, cancel);
    }

    public Task<StripeResponse<T>> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) where T : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), type, cancel);

    async Task<StripeResponse<T>> SendAsync<T>(HttpRequestMessage message, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        using var _ = message;
        message.Headers.Authorization = authorization;
        message.Headers.Add("Stripe-Version", Version);
        using var response = await http.SendAsync(message, cancel);
        var body = await response.Content.ReadAsByteArrayAsync(cancel);
        return response.IsSuccessStatusCode
            ? new(response.StatusCode, Read(body, type), null)
            : new(response.StatusCode, null, Read(body, StripeJson.Default.StripeError)?.Error);
    }

    static T? Read<T>(byte[] body, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static KeyValuePair<string, string> Field(string name, string value) => new(name, value);

    public static KeyValuePair<string, string> Field(string name, long value) =>
        new(name, value.ToString(CultureInfo.InvariantCulture));
}
