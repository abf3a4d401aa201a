using System.Collections.Concurrent;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli.Import;

/// <summary>
/// Adjusts stock once, however often it is asked to: by Idempotency-Key for as long as the server keeps these, and for
/// good by the note of each movement, which names the import and the line.
/// </summary>
sealed class Ledger(Patience patience, string importId)
{
    static readonly Task<HashSet<string>> Empty = Task.FromResult(new HashSet<string>());

    readonly ConcurrentDictionary<string, Lazy<Task<HashSet<string>>>> notes = new();

    /// <summary>This run makes the SKU, so no earlier one can have moved it.</summary>
    public void IsNew(string sku) => notes[sku] = new Lazy<Task<HashSet<string>>>(Empty);

    /// <summary>The server's answer, or 200 when an earlier run has done it.</summary>
    public async Task<ApiAnswer> AdjustAsync(string sku, long delta, string reason, string what, CancellationToken cancel)
    {
        var note = $"import {importId}: {what}";
        if (note.Length > 400) note = note[..400];
        var known = await notes.GetOrAdd(sku, _ => new Lazy<Task<HashSet<string>>>(() => ReadNotesAsync(sku, cancel))).Value;
        if (known.Contains(note)) return new ApiAnswer(200, default, null);
        var answer = await patience.AskAsync(
            HttpMethod.Post, ServiceNames.Stock, $"/stock/{sku}/adjustments",
            JsonBody.Of(json =>
            {
                json.WriteNumber("delta", delta);
                json.WriteString("reason", reason);
                json.WriteString("note", note);
            }),
            RequestKey.Of(importId, "stock", $"{sku} {note}"), 0, cancel);
        patience.Moved();
        return answer;
    }

    async Task<HashSet<string>> ReadNotesAsync(string sku, CancellationToken cancel)
    {
        var found = new HashSet<string>();
        string? cursor = null;
        do
        {
            var page = await patience.AskAsync(
                HttpMethod.Get, ServiceNames.Stock,
                $"/stock/{sku}/movements?limit=200{(cursor is null ? "" : $"&cursor={cursor}")}",
                null, null, 0, cancel);
            if (page.Status == 404) break;
            found.UnionWith(page.OrThrow().Body.Items().Select(movement => movement.TextOrNull("note")).OfType<string>());
            cursor = page.Body.TextOrNull("nextCursor");
        }
        while (cursor is not null);
        return found;
    }
}
