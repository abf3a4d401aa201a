using System.Text.Json.Nodes;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Storage;

/// <summary>Row with a column of every type.</summary>
sealed record Sample(
    Guid Id, Guid? Uuid, string? Text, long? Big, bool Flag, DateTimeOffset? Time, byte[]? Bytes, string? Document)
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, 123, TimeSpan.Zero);

    public static Sample New(string? text = null) =>
        new(Guid.CreateVersion7(), null, text, null, false, null, null, null);

    public static Sample Full(int n = 0) => new(
        Guid.CreateVersion7(), Guid.NewGuid(), $"text {n}", n, n % 2 == 0, Noon.AddMilliseconds(n), [0, 1, (byte)n, 255],
        $$"""{"n":{{n}},"name":"O'Brien \"x\""}""");

    public static Sample Of(IRow row) => new(
        row.Uuid("id"), row.UuidOrNull("uuid"), row.TextOrNull("text"), row.BigIntOrNull("big"), row.Bool("flag"),
        row.TimeOrNull("time"), row.BytesOrNull("bytes"), row.TextOrNull("document"));

    public static SqlArgs One(string batch, Sample sample) => SqlArgs.With("batch", batch)
        .And("id", sample.Id).And("uuid", sample.Uuid).And("text", sample.Text).And("big", sample.Big)
        .And("flag", sample.Flag).And("time", sample.Time).And("bytes", sample.Bytes).And("document", sample.Document);

    public static SqlArgs Many(string batch, IReadOnlyList<Sample> samples) => SqlArgs.Over(samples)
        .Uuid("id", sample => sample.Id).UuidOrNull("uuid", sample => sample.Uuid).Text("text", sample => sample.Text)
        .BigIntOrNull("big", sample => sample.Big).Bool("flag", sample => sample.Flag)
        .TimeOrNull("time", sample => sample.Time).Bytes("bytes", sample => sample.Bytes)
        .Text("document", sample => sample.Document).Args.And("batch", batch);

    // Compares bytes by value, and JSON by meaning: PostgreSQL stores jsonb parsed and formats the text itself.
    public bool Equals(Sample? other) =>
        other is not null
        && (Id, Uuid, Text, Big, Flag, Time) == (other.Id, other.Uuid, other.Text, other.Big, other.Flag, other.Time)
        && (Bytes is null ? other.Bytes is null : other.Bytes is not null && Bytes.AsSpan().SequenceEqual(other.Bytes))
        && (Document is null) == (other.Document is null)
        && (Document is null || JsonNode.DeepEquals(JsonNode.Parse(Document), JsonNode.Parse(other.Document!)));

    public override int GetHashCode() => Id.GetHashCode();
}
