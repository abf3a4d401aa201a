using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.Rules.Tests;

/// <summary>Order lines in columns: one array per line.</summary>
public class StoredLinesTests
{
    const string Stored = """[[1,"A \"quoted\"",2,148],[7,"B",1]]""";

    static readonly OrderLine[] Lines = [new(1, "A \"quoted\"", 2, 148), new(7, "B", 1, null)];

    [Fact]
    public void Lines_are_written_as_arrays_and_read_back()
    {
        Assert.Equal(Stored, OrderLinesJson.Write(Lines));
        Assert.Equal(Lines, OrderLinesJson.Read(Stored));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""[["A",2]]""")]
    [InlineData("""[[1,"A"]]""")]
    [InlineData("""[[1,"A",2,148,9]]""")]
    [InlineData("""[{"line":1,"sku":"A","quantity":2}]""")]
    public void Other_json_is_refused(string stored) =>
        Assert.Throws<JsonException>(() => OrderLinesJson.Read(stored));

    [Fact]
    public void Verification_reads_the_same_lines()
    {
        Assert.Null(StoredLines.Total(Stored, 0));
        Assert.Equal(new() { ["A \"quoted\""] = 2, ["B"] = 1 }, StoredLines.Quantities(Stored));
        Assert.Equal(new() { [1] = 2, [7] = 1 }, StoredLines.QuantitiesByLine([Stored]));
        Assert.True(StoredLines.SameQuantities("""[[7,"B",1],[1,"A \"quoted\"",2]]""", Stored));
        Assert.Equal(300, StoredLines.Total("""[[1,"A",2,148],[2,"A",1,5]]""", -1));
    }
}
