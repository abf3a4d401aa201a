using System.Collections.Concurrent;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Adjusts stock exactly once per import and line. The Idempotency-Key prevents a repetition for as long as the server keeps
/// keys; the note of each movement, with the import and the line, prevents a repetition for good.
/// </summary>
sealed class Ledger(Patience patience, string importId)
{
    static readonly Task<HashSet<string>> Empty = Task.FromResult(new HashSet<string>());

    readonly ConcurrentDictionary<string, Lazy<Task<HashSet<string>>>> notes = new();

    /// <summary>Marks an SKU as created by this run, without movements of an earlier run.</summary>
    public void IsNew(string sku) => notes[sku] = new Lazy<Task<HashSet<string>>>(Empty);

    /// <summary>Adjusts the stock of an SKU. Returns <see cref="ApiReply.Done"/> for an adjustment of an earlier run.</summary>
    public async Task<ApiReply> AdjustAsync(string sku, long delta, string reason, string subject, CancellationToken cancel)
    {
        var note = $"import {importId}: {subject}";
        if (note.Length > 400) note = note[..400];
        var known = await notes.GetOrAdd(sku, _ => new Lazy<Task<HashSet<string>>>(() => ReadNotesAsync(sku, cancel))).Value;
        if (known.Contains(note)) return ApiReply.Done;
        var reply = await patience.SendAsync(
            HttpMethod.Post, ServiceNames.Stock, $"/stock/{sku}/adjustments", cancel,
            new() { ["delta"] = delta, ["reason"] = reason, ["note"] = note }, RequestKey.Of(importId, "stock", $"{sku} {note}"));
        patience.Completed();
        return reply;
    }

    async Task<HashSet<string>> ReadNotesAsync(string sku, CancellationToken cancel)
    {
        var found = new HashSet<string>();
        // A missing SKU has no movements.
        if ((await patience.GetAsync(ServiceNames.Stock, $"/stock/{sku}", cancel)).IsNotFound) return found;
        await foreach (var movement in patience.ListAsync(ServiceNames.Stock, $"/stock/{sku}/movements", cancel))
            if (movement.TextOrNull("note") is { } note) found.Add(note);
        return found;
    }
}
