using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// Method, target and body of a request in a single rented buffer: one hash covers all three, and the body is parsed in
/// place.
/// </summary>
readonly struct RequestBytes : IDisposable
{
    readonly byte[]? rented;
    readonly int bodyAt;
    readonly int end;

    RequestBytes(byte[]? rented, int bodyAt, int end) => (this.rented, this.bodyAt, this.end) = (rented, bodyAt, end);

    public ReadOnlySpan<byte> Body => rented.AsSpan(bodyAt, end - bodyAt);

    public byte[] Hash() => SHA256.HashData(rented.AsSpan(0, end));

    /// <summary>
    /// Reads the body; null above the limit, detected by Content-Length before reading or else while reading.
    /// </summary>
    public static async ValueTask<RequestBytes?> ReadAsync(
        HttpRequest request, int limitBytes, CancellationToken cancel)
    {
        if (request.ContentLength > limitBytes) return null;
        var target = $"{request.Method} {request.Path.Value}{request.QueryString.Value}\n";
        var expected = (int?)request.ContentLength;
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(target.Length) + (expected ?? 4096) + 1);
        var bodyAt = Encoding.UTF8.GetBytes(target, buffer);
        var end = bodyAt;
        try
        {
            while (end - bodyAt != expected)
            {
                if (end == buffer.Length) Grow(ref buffer);
                var read = await request.Body.ReadAsync(buffer.AsMemory(end), cancel);
                if (read == 0) break;
                end += read;
                if (end - bodyAt <= limitBytes) continue;
                ArrayPool<byte>.Shared.Return(buffer);
                return null;
            }
            return new RequestBytes(buffer, bodyAt, end);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose()
    {
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }

    static void Grow(ref byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
