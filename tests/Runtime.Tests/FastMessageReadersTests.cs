using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Contracts;

namespace Orderwright.Runtime.Tests;

/// <summary>Fast readers give the same results as the serializer, for every modification of the input.</summary>
public sealed class FastMessageReadersTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly OrderLine[] Lines = [new(1, "MUG", 2, 255), new(2, "ÄÖ\"\\", 1)];
    static readonly PaymentMethod Card = new("sandbox", "tok_visa");
    static readonly PaymentTotals Paid = new(765, 765, 10, true);

    static readonly IMessageBody[] Bodies =
    [
        new OrderPlaced("17850", "GBP", Lines, -50, Card, true),
        new ReserveStock("GBP", Lines, false),
        new CommitStock("GBP", Lines),
        new AuthorizePayment("17850", 765, "GBP", Card),
        new StepAnswered(
            true, StepOutcome.Retry, "busy", "Later.", TimeSpan.FromSeconds(2), "https://bank.example/3ds", Lines, Paid),
        new OrderConfirmed(
            Lines, 765, Paid, [new StepStamp("commit-stock", false, "completed", Now, 2, "late", Now.AddSeconds(1))]),
    ];

    public static TheoryData<string> Types => [.. Bodies.Select(MessageCatalog.TypeOf)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Whole(string type) => ReadsAlike(type, Written(type));

    [Theory]
    [MemberData(nameof(Types))]
    public void With_any_part_missing_null_or_of_another_kind_and_with_parts_unknown(string type)
    {
        foreach (var path in PathsOf(Written(type), []))
        {
            foreach (var other in new[] { "null", "{}", "[]", "7", "-1.5", "true", "\"text\"", "[{}]" })
                ReadsAlike(type, Changed(type, path, (parent, name) => parent[name] = JsonNode.Parse(other)));
            ReadsAlike(type, Changed(type, path, (parent, name) => parent.Remove(name)));
            ReadsAlike(type, Changed(type, path, (parent, _) => parent["new"] = JsonNode.Parse("""{"a":[1,{"b":null}]}""")));
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    public void Something_else(string json)
    {
        foreach (var type in Types) ReadsAlike(type, JsonNode.Parse(json));
    }

    [Fact]
    public void A_null_among_the_lines_is_unreadable_although_the_serializer_takes_it()
    {
        var type = MessageCatalog.TypeOf(Bodies[0]);
        var json = Changed(type, ["lines"], (order, lines) => order[lines] = JsonNode.Parse("[null]")).ToJsonString();
        Assert.Throws<JsonException>(() => MessageCatalog.Read(type, Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void A_property_in_another_case_is_unknown()
    {
        var type = MessageCatalog.TypeOf(Bodies[1]);
        ReadsAlike(type, Changed(type, ["currency"], (order, _) =>
        {
            order.Remove("currency");
            order["Currency"] = "GBP";
        }));
    }

    [Fact]
    public void An_order_of_release_0_1_0_has_its_channel_under_the_former_name()
    {
        var type = MessageCatalog.TypeOf(Bodies[0]);
        var json = Changed(type, ["lines"], (order, _) => order["merchant"] = "acme");
        Assert.Equal("acme", ((OrderPlaced)MessageCatalog.Read(type, Encoding.UTF8.GetBytes(json.ToJsonString()))!).Channel);
        ReadsAlike(type, json);
    }

    static void ReadsAlike(string type, JsonNode? json)
    {
        var text = json?.ToJsonString() ?? "null";
        var info = MessageCatalog.JsonOf(type)!;
        var expected = Outcome(() => JsonSerializer.Deserialize(text, info) ?? throw new JsonException("null"));
        var actual = Outcome(() => MessageCatalog.Read(type, Encoding.UTF8.GetBytes(text)));
        Assert.True(expected == actual, $"{type} {text}: {expected} by the serializer, {actual} by hand");

        string Outcome(Func<object?> read)
        {
            try
            {
                return JsonSerializer.Serialize(read(), info);
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
            {
                return "unreadable";
            }
        }
    }

    static JsonNode Written(string type) =>
        JsonSerializer.SerializeToNode(Bodies.Single(body => MessageCatalog.TypeOf(body) == type), MessageCatalog.JsonOf(type)!)!;

    static IEnumerable<object[]> PathsOf(JsonNode? node, object[] path) => node switch
    {
        JsonObject all => all.SelectMany(
            property => PathsOf(property.Value, [.. path, property.Key]).Prepend([.. path, property.Key])),
        JsonArray items => PathsOf(items[0], [.. path, 0]),
        _ => [],
    };

    static JsonNode Changed(string type, object[] path, Action<JsonObject, string> change)
    {
        var root = Written(type);
        var parent = path[..^1].Aggregate(root, (node, step) => step is int index ? node[index]! : node[(string)step]!);
        change(parent.AsObject(), (string)path[^1]);
        return root;
    }
}
