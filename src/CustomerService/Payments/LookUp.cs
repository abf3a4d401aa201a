using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Payments;

/// <summary>What look-ups of an attempt said, the same words in a row told once: the evidence of an incident.</summary>
/// <param name="Said">One sentence.</param>
/// <param name="IsAnswer">The gateway itself said so; else it could not be asked.</param>
/// <param name="First">When it was said first.</param>
/// <param name="Last">When it was said last.</param>
/// <param name="Times">How often, 1 or more.</param>
public sealed record LookUp(string Said, bool IsAnswer, DateTimeOffset First, DateTimeOffset Last, int Times)
{
    const int Most = 12;
    const int MostLetters = 200;

    /// <summary>With one more; of many the first and the last ones are kept.</summary>
    public static IReadOnlyList<LookUp> Add(
        IReadOnlyList<LookUp> before, string said, bool isAnswer, DateTimeOffset now)
    {
        if (said.Length > MostLetters) said = said[..MostLetters];
        if (before is [.., var last] && last.Said == said && last.IsAnswer == isAnswer)
            return [.. before.SkipLast(1), last with { Last = now, Times = last.Times + 1 }];
        LookUp[] all = [.. before, new(said, isAnswer, now, now, 1)];
        return all.Length <= Most ? all : [all[0], .. all[2..]];
    }

    /// <summary>For its column; null for none.</summary>
    public static string? Write(IReadOnlyList<LookUp> all) =>
        all.Count == 0 ? null : JsonSerializer.Serialize(all, LookUpJson.Default.IReadOnlyListLookUp);

    public static IReadOnlyList<LookUp> Read(string? column) =>
        column is null ? [] : JsonSerializer.Deserialize(column, LookUpJson.Default.IReadOnlyListLookUp)!;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<LookUp>))]
sealed partial class LookUpJson : JsonSerializerContext;
