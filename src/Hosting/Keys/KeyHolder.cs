using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Orderwright.Hosting.Http;
using Orderwright.Http;

namespace Orderwright.Hosting.Keys;

/// <summary>Key in force at a running service, with the budget of its requests.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A source without a timer holds no resource, and live streams may still use its token.")]
sealed class KeyHolder
{
    readonly CancellationTokenSource ended = new();

    /// <param name="key">Key, as read from the file.</param>
    /// <param name="budget">Budget of the same key before its change; null for a new key.</param>
    public KeyHolder(ApiKey key, Budget? budget)
    {
        Key = key;
        Hash = Convert.FromBase64String(key.Hash);
        Budget = budget ?? new();
        Caller = new(key.Prefix, ChannelSet.Of(key.Channels!), key.AllScopes.ToFrozenSet(), key.MaxDiscount ?? 0)
        {
            Ended = ended.Token,
        };
    }

    public ApiKey Key { get; }

    /// <summary>SHA-256 of the secret.</summary>
    public byte[] Hash { get; }

    public Caller Caller { get; }

    public Budget Budget { get; }

    /// <summary>True if the key in the file is the same, in every respect that decides about a request.</summary>
    public bool IsStill(ApiKey now) =>
        (now.Hash, now.ExpiresAt, now.RevokedAt, now.MaxDiscount)
            == (Key.Hash, Key.ExpiresAt, Key.RevokedAt, Key.MaxDiscount)
        && now.AllScopes.SequenceEqual(Key.AllScopes) && now.Channels!.SequenceEqual(Key.Channels!);

    /// <summary>Ends the live streams of the key.</summary>
    public void End() => ended.Cancel();
}
