using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;

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
/// Keys of a running service. Checks once a second whether the file has changed and which keys have expired, and ends the
/// live streams of a key that is no longer valid. An unreadable file leaves the last good keys in force, is logged, and is
/// tried again every second.
/// </summary>
sealed partial class KeyRing : IDisposable
{
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    readonly string path;
    readonly TimeProvider time;
    readonly ILogger<KeyRing> log;
    readonly ITimer timer;
    readonly Lock looking = new();
    volatile FrozenDictionary<string, KeyHolder> holders;
    (DateTime Written, long Length) stamp;
    string? trouble;

    /// <summary>Throws <see cref="InvalidSettingException"/> for a missing or unreadable file.</summary>
    public KeyRing(string path, TimeProvider time, ILogger<KeyRing> log)
    {
        this.path = path;
        this.time = time;
        this.log = log;
        // The stamp is older than the content, or the same: a change in between is read twice rather than never.
        stamp = Stamp();
        holders = Index(ReadFile(), FrozenDictionary<string, KeyHolder>.Empty);
        if (holders.Count == 0) LogEmpty(path);
        timer = time.CreateTimer(_ => Look(), null, LookInterval, LookInterval);
    }

    /// <param name="token"><c>ow_PREFIX_SECRET</c>, as sent by the caller.</param>
    /// <param name="holder">Key with this prefix, also if refused; null for an unknown prefix.</param>
    public KeyRefusal? Open(ReadOnlySpan<char> token, out KeyHolder? holder)
    {
        holder = null;
        if (token.Length is < 16 or > 128 || !token.StartsWith(ApiKey.Mark)) return KeyRefusal.Unknown;
        var rest = token[ApiKey.Mark.Length..];
        var end = rest.IndexOf('_');
        if (end < 0 || !holders.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(rest[..end], out holder))
            return KeyRefusal.Unknown;
        Span<byte> secret = stackalloc byte[128];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!Encoding.ASCII.TryGetBytes(rest[(end + 1)..], secret, out var length)) return KeyRefusal.Unknown;
        SHA256.HashData(secret[..length], hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, holder.Hash)) return KeyRefusal.Unknown;
        if (holder.Key.RevokedAt is not null) return KeyRefusal.Revoked;
        return holder.Key.ExpiresAt <= time.GetUtcNow() ? KeyRefusal.Expired : null;
    }

    public void Dispose() => timer.Dispose();

    void Look()
    {
        // A slow file system must not pile up the ticks of the timer.
        if (!looking.TryEnter()) return;
        try
        {
            ReadIfChanged();
            foreach (var holder in holders.Values)
                if (holder.Key.ExpiresAt <= time.GetUtcNow()) holder.End();
        }
        finally
        {
            looking.Exit();
        }
    }

    void ReadIfChanged()
    {
        try
        {
            var now = Stamp();
            if (now == stamp && trouble is null) return;
            var before = holders;
            holders = Index(ReadFile(), before);
            (stamp, trouble) = (now, null);
            foreach (var (prefix, holder) in before)
                if (holders.GetValueOrDefault(prefix) != holder) holder.End();
            LogRead(path, holders.Count);
        }
        catch (Exception error) when (error is InvalidSettingException or IOException or UnauthorizedAccessException)
        {
            if (trouble != error.Message) LogUnreadable(error.Message);
            trouble = error.Message;
        }
    }

    IReadOnlyList<ApiKey> ReadFile()
    {
        var keys = KeyFile.Read(path);
        if (keys.Any(key => key.Merchant is not null)) LogOldWord(path);
        return keys;
    }

    // Of the file behind a link: Kubernetes replaces a mounted secret by pointing a link at other files.
    (DateTime, long) Stamp()
    {
        if (!File.Exists(path)) return default;
        var file = File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    // A key that is still the same keeps its holder, and so its streams; a changed key keeps its budget.
    static FrozenDictionary<string, KeyHolder> Index(
        IReadOnlyList<ApiKey> keys, FrozenDictionary<string, KeyHolder> before) =>
        keys.ToFrozenDictionary(
            key => key.Prefix,
            key => before.GetValueOrDefault(key.Prefix) is not { } holder ? new(key, budget: null)
                : holder.IsStill(key) ? holder
                : new KeyHolder(key, holder.Budget),
            StringComparer.Ordinal);

    [LoggerMessage(2001, LogLevel.Information, "{Path} was read again and contains {Count} keys")]
    partial void LogRead(string path, int count);

    [LoggerMessage(2005, LogLevel.Warning,
        "{Path} names channels by the former word merchant; the next ./orderwright keys add or revoke rewrites the file")]
    partial void LogOldWord(string path);

    [LoggerMessage(2003, LogLevel.Warning,
        "{Path} contains no keys; all requests are rejected until you run ./orderwright keys add")]
    partial void LogEmpty(string path);

    [LoggerMessage(2002, LogLevel.Error, "The previous keys stay in force: {Why}")]
    partial void LogUnreadable(string why);
}
