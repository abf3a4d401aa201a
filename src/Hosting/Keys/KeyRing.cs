using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.Hosting.Keys;

/// <summary>Reasons for refusing a key.</summary>
public enum KeyRefusal
{
    /// <summary>Malformed, unknown prefix or wrong secret, indistinguishable to callers.</summary>
    Unknown,
    Expired,
    Revoked,
}

/// <summary>
/// Keys of a running service. Checks at most once a second whether the file has changed; an unreadable file leaves the last
/// good keys in force and is logged.
/// </summary>
public sealed partial class KeyRing
{
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    sealed record Holder(ApiKey Key, byte[] Hash, Caller Caller);

    readonly string path;
    readonly TimeProvider time;
    readonly ILogger<KeyRing> log;
    FrozenDictionary<string, Holder> holders;
    DateTime fileTime;
    long lookedAt;

    /// <summary>Throws <see cref="InvalidSettingException"/> for a missing or unreadable file.</summary>
    public KeyRing(string path, TimeProvider time, ILogger<KeyRing> log)
    {
        this.path = path;
        this.time = time;
        this.log = log;
        fileTime = File.GetLastWriteTimeUtc(path);
        holders = Index(KeyFile.Read(path));
        lookedAt = time.GetTimestamp();
        if (holders.Count == 0) LogEmpty(path);
    }

    /// <param name="token"><c>ow_PREFIX_SECRET</c>, as sent by the caller.</param>
    /// <param name="caller">Caller, unless refused.</param>
    public KeyRefusal? Open(ReadOnlySpan<char> token, out Caller? caller)
    {
        Look();
        caller = null;
        if (token.Length is < 16 or > 128 || !token.StartsWith(ApiKey.Mark)) return KeyRefusal.Unknown;
        var rest = token[ApiKey.Mark.Length..];
        var end = rest.IndexOf('_');
        if (end < 0 || !holders.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(rest[..end], out var holder))
            return KeyRefusal.Unknown;
        Span<byte> secret = stackalloc byte[128];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!Encoding.ASCII.TryGetBytes(rest[(end + 1)..], secret, out var length)) return KeyRefusal.Unknown;
        SHA256.HashData(secret[..length], hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, holder.Hash)) return KeyRefusal.Unknown;
        if (holder.Key.RevokedAt is not null) return KeyRefusal.Revoked;
        if (holder.Key.ExpiresAt <= time.GetUtcNow()) return KeyRefusal.Expired;
        caller = holder.Caller;
        return null;
    }

    void Look()
    {
        var before = Interlocked.Read(ref lookedAt);
        if (time.GetElapsedTime(before) < LookInterval
            || Interlocked.CompareExchange(ref lookedAt, time.GetTimestamp(), before) != before)
            return;
        var now = File.GetLastWriteTimeUtc(path);
        if (now == fileTime) return;
        fileTime = now;
        try
        {
            holders = Index(KeyFile.Read(path));
            LogRead(path, holders.Count);
        }
        catch (InvalidSettingException error)
        {
            LogUnreadable(error.Message);
        }
    }

    static FrozenDictionary<string, Holder> Index(IReadOnlyList<ApiKey> keys) =>
        keys.ToFrozenDictionary(
            key => key.Prefix, key => new Holder(key, Convert.FromBase64String(key.Hash), key.ToCaller()),
            StringComparer.Ordinal);

    [LoggerMessage(2001, LogLevel.Information, "{Path} was read again and contains {Count} keys")]
    partial void LogRead(string path, int count);

    [LoggerMessage(2003, LogLevel.Warning,
        "{Path} contains no keys; all requests are rejected until you run ./orderwright keys add")]
    partial void LogEmpty(string path);

    [LoggerMessage(2002, LogLevel.Error, "The previous keys stay in force: {Why}")]
    partial void LogUnreadable(string why);
}
