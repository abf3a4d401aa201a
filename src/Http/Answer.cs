using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// Complete HTTP response as a value, to be decided inside a transaction, stored under an Idempotency-Key and
/// replayed byte for byte. Also an <see cref="IResult"/> for endpoints.
/// </summary>
/// <param name="Status">100 to 599.</param>
/// <param name="Body">UTF-8; empty for none.</param>
/// <param name="ContentType">Null with an empty body.</param>
/// <param name="Location">Address of the created resource.</param>
/// <param name="Version">Sent as a strong <c>ETag</c>.</param>
public sealed record Answer(
    int Status, ReadOnlyMemory<byte> Body, string? ContentType = "application/json", string? Location = null,
    long? Version = null)
    : IResult
{
    // Smaller bodies cost more processor time than their bytes are worth.
    const int CompressedFrom = 16_384;

    /// <summary>True for a replay of an earlier response: adds <c>Idempotent-Replayed: true</c>.</summary>
    public bool Replayed { get; init; }

    /// <summary>Adds <c>Preference-Applied: wait=N</c>.</summary>
    public string? PreferenceApplied { get; init; }

    /// <summary>Adds <c>Retry-After</c>, whole seconds, at least 1.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static Answer Json<T>(int status, T value, JsonTypeInfo<T> type, string? location = null, long? version = null) =>
        new(status, JsonSerializer.SerializeToUtf8Bytes(value, type), Location: location, Version: version);

    public static Answer NoContent() => new(StatusCodes.Status204NoContent, default, null);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (Version is { } current && Status == StatusCodes.Status200OK && HttpMethods.IsGet(httpContext.Request.Method)
            && httpContext.GetEndpoint()?.Metadata.GetMetadata<Versioned>() is { IsConditional: true }
            && Precondition.IsUnchanged(httpContext, current))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.Headers.ETag = TagOf(current);
            return;
        }
        response.StatusCode = Status;
        if (Location is not null) response.Headers.Location = Location;
        if (Version is { } version) response.Headers.ETag = TagOf(version);
        if (Replayed)
        {
            response.Headers["Idempotent-Replayed"] = "true";
            Metrics.Replayed();
        }
        if (PreferenceApplied is not null) response.Headers["Preference-Applied"] = PreferenceApplied;
        if (RetryAfter is { } pause)
            response.Headers.RetryAfter =
                Math.Max(1, (int)Math.Ceiling(pause.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (Body.IsEmpty) return;
        var body = Body;
        response.ContentType = ContentType;
        // Not with an ETag, which would have to name the coding as well.
        if (Version is null && body.Length >= CompressedFrom)
        {
            response.Headers.Vary = "Accept-Encoding";
            if (AcceptsGzip(httpContext.Request))
            {
                response.Headers.ContentEncoding = "gzip";
                body = Compress(body);
            }
        }
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }

    static string TagOf(long version) => $"\"{version.ToString(CultureInfo.InvariantCulture)}\"";

    static bool AcceptsGzip(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(
            coding => coding.Quality != 0 && coding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase));

    static ReadOnlyMemory<byte> Compress(ReadOnlyMemory<byte> body)
    {
        var compressed = new MemoryStream(body.Length / 4);
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(body.Span);
        return compressed.ToArray();
    }
}
