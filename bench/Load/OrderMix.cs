using System.Globalization;
using System.Text;

namespace Orderwright.Load;

/// <summary>
/// Prepared order requests: 1 to 3 lines of 1 to 4 units, 5 % with a line of sold-out goods, and evenly distributed
/// customers, of whom the last twentieth has almost no balance.
/// </summary>
/// <remarks>Built before the clock starts: building a body must not count as placing an order.</remarks>
sealed class OrderMix
{
    public const int Customers = 1_000;
    public const int PoorCustomers = 50;
    public const int Products = 100;
    public const int SoldOut = 5;

    readonly byte[][] requests;
    readonly int waitEvery;

    public OrderMix(PlaceCommand command)
    {
        waitEvery = command.WaitEvery;
        var dice = new Random(command.Seed);
        requests = new byte[command.Orders][];
        for (var i = 0; i < requests.Length; i++)
        {
            var key = command.Keyed ? string.Create(CultureInfo.InvariantCulture, $"{command.Seed}-{i}") : null;
            requests[i] = Encoding.ASCII.GetBytes(Request(Body(dice, command, key), Waits(i), key));
        }
    }

    public ReadOnlySpan<byte> this[int order] => requests[order];

    public bool Waits(int order) => order % waitEvery == 0;

    public static string CustomerId(int number) => string.Create(CultureInfo.InvariantCulture, $"customer-{number:D4}");

    public static string Sku(int number) => string.Create(CultureInfo.InvariantCulture, $"SKU-{number:D3}");

    static string Body(Random dice, PlaceCommand command, string? reference)
    {
        var soldOut = dice.Next(20) == 0;
        var lines = new string[dice.Next(1, 4)];
        for (var i = 0; i < lines.Length; i++)
        {
            var product = soldOut && i == 0 ? Products - 1 - dice.Next(SoldOut)
                : command.OneSku ? 0
                : dice.Next(Products - SoldOut);
            lines[i] = $$"""{"sku":"{{Sku(product)}}","quantity":{{dice.Next(1, 5)}}}""";
        }
        var name = reference is null ? "" : $"\"reference\":\"{reference}\",";
        var payment = command.ByCard ? "\"payment\":{\"provider\":\"sandbox\",\"token\":\"tok_visa\"}," : "";
        var customer = CustomerId(dice.Next(Customers));
        return $$"""{"customerId":"{{customer}}","currency":"EUR",{{name}}{{payment}}"lines":[{{string.Join(',', lines)}}]}""";
    }

    static string Request(string body, bool waits, string? key) =>
        "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
        (waits ? "Prefer: wait=30\r\n" : "") +
        (key is null ? "" : $"Idempotency-Key: order-{key}\r\n") +
        string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n{body}");
}
