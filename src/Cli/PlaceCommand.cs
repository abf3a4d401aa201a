using System.CommandLine;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>place</c>: places an order and prints its outcome.</summary>
static class PlaceCommand
{
    const int WaitSeconds = 10;

    sealed record Request(
        string[] Skus, int[] Quantities, string Customer, string? Currency, string? Provider, string? Token, string? Reference);

    public static Command Create()
    {
        var sku = new Option<string[]>("--sku") { Description = "SKU; repeat per line.", Required = true };
        var quantity = new Option<int[]>("--qty")
        {
            Description = "Quantity of the SKU at the same position; repeat per line. Missing quantities are 1.",
        };
        var customer = new Option<string>("--customer") { Description = "Customer id.", DefaultValueFactory = _ => "ada" };
        var currency = new Option<string?>("--currency")
        {
            Description = "ISO 4217 currency code. Default: the currency of the first product.",
        };
        var provider = new Option<string?>("--provider")
        {
            Description = "Payment provider, such as balance or sandbox. Default: sandbox with a token, else balance.",
        };
        var token = new Option<string?>("--token") { Description = "Payment token, such as tok_visa or tok_declined." };
        var reference = new Option<string?>("--reference") { Description = "Your own order number." };
        var watch = new Option<bool>("--watch") { Description = "Print each step of the process as it happens." };
        var json = CommonOptions.Json();
        var command = new Command("place", "Place an order and wait for its outcome.")
        {
            sku, quantity, customer, currency, provider, token, reference, watch, json,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Output(parsed.GetValue(json)),
            new Request(
                parsed.GetValue(sku)!, parsed.GetValue(quantity) ?? [], parsed.GetValue(customer)!, parsed.GetValue(currency),
                parsed.GetValue(provider), parsed.GetValue(token), parsed.GetValue(reference)),
            parsed.GetValue(watch), cancel));
        return command;
    }

    static async Task<int> RunAsync(Output output, Request request, bool watch, CancellationToken cancel)
    {
        if (request.Quantities.Length > request.Skus.Length)
            throw new ToolException(
                Exit.Usage, $"--qty is given {request.Quantities.Length} times, --sku only {request.Skus.Length} times.");
        var client = await Server.ConnectAsync(cancel);
        var currency = request.Currency ?? await CurrencyOfAsync(client, request.Skus[0], cancel);
        var reply = await client.SendAsync(
            HttpMethod.Post, ServiceNames.Order, "/orders", cancel, Body(request, currency), ApiClient.NewKey("place"),
            waitSeconds: watch ? 0 : WaitSeconds);
        var id = reply.OrThrow().Body.Text("id");
        if (watch) output.Line($"Order {id}");
        var exit = await new StepWatch(client, output).FollowAsync(id, TimeSpan.FromSeconds(watch ? 60 : 1), cancel);
        if (exit == Exit.Refused && await EmptyShop.AdviceAsync(client, cancel) is { } advice) output.Advise(advice);
        return exit;
    }

    // The process itself refuses an unknown product, with a reason; the currency does not matter then.
    static async Task<string> CurrencyOfAsync(ApiClient client, string sku, CancellationToken cancel)
    {
        var product = await client.GetAsync(ServiceNames.Stock, $"/products/{Uri.EscapeDataString(sku)}", cancel);
        return product.IsNotFound ? "EUR" : product.OrThrow().Body.Text("currency");
    }

    static JsonObject Body(Request request, string currency)
    {
        var body = new JsonObject
        {
            ["customerId"] = request.Customer,
            ["currency"] = currency,
            ["lines"] = new JsonArray([.. request.Skus.Select((sku, i) => new JsonObject
            {
                ["sku"] = sku, ["quantity"] = i < request.Quantities.Length ? request.Quantities[i] : 1,
            })]),
        };
        if (request.Reference is not null) body["reference"] = request.Reference;
        if (request.Provider is null && request.Token is null) return body;
        var payment = new JsonObject { ["provider"] = request.Provider ?? PaymentProviders.Sandbox };
        if (request.Token is not null) payment["token"] = request.Token;
        body["payment"] = payment;
        return body;
    }
}
