using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orderwright.Hosting.Http;

/// <summary>Limit of requests: a quota per window, refilled evenly.</summary>
/// <param name="Name">Name in the headers of a refusal.</param>
/// <param name="Quota">Requests per window, 1 or more.</param>
/// <param name="Window">Window, whole seconds.</param>
sealed record RateLimit(string Name, int Quota, TimeSpan Window)
{
    /// <summary>Policy in the form of draft-ietf-httpapi-ratelimit-headers-11.</summary>
    public string Policy { get; } =
        string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={Quota};w={(int)Window.TotalSeconds}");
}

/// <summary>
/// Budget of a caller: a single number, the moment at which the budget is full again (the generic cell rate algorithm).
/// Taking a request costs one atomic write and allocates nothing.
/// </summary>
sealed class Budget
{
    long fullAt;

    /// <summary>True if the whole quota is available.</summary>
    public bool IsFull(long now) => Volatile.Read(ref fullAt) <= now;

    /// <summary>Takes a request; returns the wait for the next one if the quota is used up, otherwise null.</summary>
    /// <param name="limit">Limit; the same at every call.</param>
    /// <param name="time">Clock.</param>
    public TimeSpan? Take(RateLimit limit, TimeProvider time)
    {
        var now = time.GetTimestamp();
        var window = (long)(limit.Window.TotalSeconds * time.TimestampFrequency);
        var each = Math.Max(1, window / limit.Quota);
        var seen = Volatile.Read(ref fullAt);
        while (true)
        {
            var next = Math.Max(seen, now) + each;
            if (next - now > window) return time.GetElapsedTime(now + window, next);
            var found = Interlocked.CompareExchange(ref fullAt, next, seen);
            if (found == seen) return null;
            seen = found;
        }
    }
}

/// <summary>
/// Budgets of addresses, at most 10,000 at a time, about a megabyte. When all are in use, budgets that are full again make room;
/// without any, further addresses share a budget.
/// </summary>
sealed class AddressBudgets(RateLimit limit, TimeProvider time)
{
    public const int MaxAddresses = 10_000;

    static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<ulong, Budget> budgets = new();
    readonly Budget shared = new();
    int count;
    long sweptAt;

    public RateLimit Limit => limit;

    /// <summary>Budgets in memory.</summary>
    public int Count => Volatile.Read(ref count);

    /// <inheritdoc cref="Budget.Take"/>
    public TimeSpan? Take(IPAddress? address) => Of(NetworkOf(address)).Take(limit, time);

    Budget Of(ulong network)
    {
        if (budgets.TryGetValue(network, out var known)) return known;
        if (Count >= MaxAddresses && !MakeRoom()) return shared;
        var added = new Budget();
        var kept = budgets.GetOrAdd(network, added);
        if (kept == added) Interlocked.Increment(ref count);
        return kept;
    }

    bool MakeRoom()
    {
        var (now, before) = (time.GetTimestamp(), Interlocked.Read(ref sweptAt));
        if (before != 0 && time.GetElapsedTime(before, now) < SweepInterval
            || Interlocked.CompareExchange(ref sweptAt, now, before) != before)
            return false;
        foreach (var (network, budget) in budgets)
            if (budget.IsFull(now) && budgets.TryRemove(network, out _)) Interlocked.Decrement(ref count);
        return Count < MaxAddresses;
    }

    // A single host has a whole /64 of IPv6 at its disposal. IPv4 lies in a range that no IPv6 host has.
    static ulong NetworkOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address is null || !address.TryWriteBytes(bytes, out var length)) return 0;
        if (length == 4) return 0xFFFF_FFFF_0000_0000 | MemoryMarshal.Read<uint>(bytes);
        return address.IsIPv4MappedToIPv6
            ? 0xFFFF_FFFF_0000_0000 | MemoryMarshal.Read<uint>(bytes[12..])
            : MemoryMarshal.Read<ulong>(bytes);
    }
}
