using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>place</c>: places an order and says how it went.</summary>
static class PlaceCommand
{
    const int WaitSeconds = 10;

    sealed record Wish(
        string[] Skus, int[] Quantities, string Customer, string? Currency, string? Provider, string? Token, string? Reference);

    public static Command Create()
    {
        var sku = new Option<string[]>("--sku") { Description = "What; once per line.", Required = true };
        var quantity = new Option<int[]>("--qty") { Description = "How many; once per --sku, in the same order. 1 if left out." };
        var customer = new Option<string>("--customer") { Description = "Who buys.", DefaultValueFactory = _ => "ada" };
        var currency = new Option<string?>("--currency") { Description = "ISO 4217; the first product's if left out." };
        var provider = new Option<string?>("--provider") { Description = "balance or sandbox; sandbox when there is a token." };
        var token = new Option<string?>("--token") { Description = "The provider's token: tok_visa, tok_declined …" };
        var reference = new Option<string?>("--reference") { Description = "Your own number of the order." };
        var watch = new Option<bool>("--watch") { Description = "Tick each step of the process." };
        var json = Output.JsonOption();
        var command = new Command("place", "Place an order.")
        {
            sku, quantity, customer, currency, provider, token, reference, watch, json,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Output(parsed.GetValue(json)),
            new Wish(
                parsed.GetValue(sku)!, parsed.GetValue(quantity) ?? [], parsed.GetValue(customer)!, parsed.GetValue(currency),
                parsed.GetValue(provider), parsed.GetValue(token), parsed.GetValue(reference)),
            parsed.GetValue(watch), cancel));
        return command;
    }

    static async Task<int> RunAsync(Output output, Wish wish, bool watch, CancellationToken cancel)
    {
        if (wish.Quantities.Length > wish.Skus.Length)
            throw new ToolException(Exit.Usage, $"There are {wish.Quantities.Length} --qty for {wish.Skus.Length} --sku.");
        using var api = await Api.ConnectAsync(cancel);
        var currency = wish.Currency ?? await CurrencyOfAsync(api, wish.Skus[0], cancel);
        var answer = await api.SendAsync(
            HttpMethod.Post, ServiceNames.Order, "/orders", JsonBody.Of(json => Write(json, wish, currency)), cancel,
            key: $"place-{Guid.NewGuid():N}", waitSeconds: watch ? 0 : WaitSeconds);
        var id = answer.OrThrow().Body.Text("id");
        if (watch) output.Line($"Order {id}");
        return await new StepWatch(api, output).FollowAsync(id, TimeSpan.FromSeconds(watch ? 60 : 1), cancel);
    }

    // A product that is not there is refused by the process itself, with its reason; any currency will do for that.
    static async Task<string> CurrencyOfAsync(Api api, string sku, CancellationToken cancel)
    {
        var product = await api.GetAsync(ServiceNames.Stock, $"/products/{Uri.EscapeDataString(sku)}", cancel);
        return product.Status == 404 ? "EUR" : product.OrThrow().Body.Text("currency");
    }

    static void Write(Utf8JsonWriter json, Wish wish, string currency)
    {
        json.WriteString("customerId", wish.Customer);
        json.WriteString("currency", currency);
        if (wish.Reference is not null) json.WriteString("reference", wish.Reference);
        json.WriteStartArray("lines");
        for (var i = 0; i < wish.Skus.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("sku", wish.Skus[i]);
            json.WriteNumber("quantity", i < wish.Quantities.Length ? wish.Quantities[i] : 1);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (wish.Provider is null && wish.Token is null) return;
        json.WriteStartObject("payment");
        json.WriteString("provider", wish.Provider ?? "sandbox");
        if (wish.Token is not null) json.WriteString("token", wish.Token);
        json.WriteEndObject();
    }
}
