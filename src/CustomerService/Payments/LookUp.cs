using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Payments;

/// <summary>Look-up result of an attempt in doubt: evidence for an incident. Identical results in a row are merged.</summary>
/// <param name="Finding">The result, in a sentence.</param>
/// <param name="IsAnswer">True when the gateway answered; false when the gateway was unreachable.</param>
/// <param name="First">Time of the first look-up with the result.</param>
/// <param name="Last">Time of the last look-up with the result.</param>
/// <param name="Times">Number of look-ups, 1 or more.</param>
public sealed record LookUp(string Finding, bool IsAnswer, DateTimeOffset First, DateTimeOffset Last, int Times)
{
    const int MaxEntries = 12;
    const int MaxLength = 200;

    /// <summary>Adds a result. Past the limit, the first and the latest entries are kept.</summary>
    public static IReadOnlyList<LookUp> Add(
        IReadOnlyList<LookUp> before, string finding, bool isAnswer, DateTimeOffset now)
    {
        if (finding.Length > MaxLength) finding = finding[..MaxLength];
        if (before is [.., var last] && last.Finding == finding && last.IsAnswer == isAnswer)
            return [.. before.SkipLast(1), last with { Last = now, Times = last.Times + 1 }];
        LookUp[] all = [.. before, new(finding, isAnswer, now, now, 1)];
        return all.Length <= MaxEntries ? all : [all[0], .. all[2..]];
    }

    /// <summary>JSON for the column <c>evidence</c>; null for none.</summary>
    public static string? Write(IReadOnlyList<LookUp> all) =>
        all.Count == 0 ? null : JsonSerializer.Serialize(all, LookUpJson.Default.IReadOnlyListLookUp);

    public static IReadOnlyList<LookUp> Read(string? column) =>
        column is null ? [] : JsonSerializer.Deserialize(column, LookUpJson.Default.IReadOnlyListLookUp)!;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<LookUp>))]
sealed partial class LookUpJson : JsonSerializerContext;
