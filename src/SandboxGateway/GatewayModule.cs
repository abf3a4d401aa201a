using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Hosting;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>
/// The sandbox as a separate company's gateway: a process with a separate database, serving the contract of
/// docs/reference/http-gateway.md. Verification compares our record of payments with the sandbox's.
/// </summary>
public sealed class GatewayModule : IServiceModule
{
    public string Name => "payment-gateway";

    public ServiceParts Build(ServiceContext context)
    {
        var settings = context.Configuration.Bind<GatewaySettings>();
        var signature = new Signature(SecretOf(settings, context.Configuration));
        var ledger = new SandboxLedger(context);
        var webhooks = settings.Webhook.Length == 0
            ? null
            : new WebhookSender(AddressOf(settings.Webhook), signature, context.Time, context.Logs);
        var api = new GatewayApi(
            ledger, new ChargeList(context.Database, context.Sql), signature, settings.Behaviour(), webhooks,
            SandboxSettings.Read(context.Configuration).SandboxSlow, context.Time);
        return new HttpParts
        {
            Loops = webhooks is null ? [ledger.Loop] : [ledger.Loop, webhooks.Loop],
            Routes = api.Map,
        };
    }

    /// <summary>Prints the settings that connect customer-service to the gateway, once the gateway is ready.</summary>
    public static AfterReady PrintConnectionSettings(IConfiguration configuration, ILoggerFactory logs)
    {
        var secretSetting = configuration.Bind<GatewaySettings>().GatewaySecret.Length > 0
            ? "the same ORDERWRIGHT_GATEWAY_SECRET"
            : $"ORDERWRIGHT_GATEWAY_SECRET_FILE={SecretFile(configuration)}";
        return (url, _) =>
        {
            Console.WriteLine($"For customer-service: ORDERWRIGHT_GATEWAY_URL={new Uri(url, "v1")}, {secretSetting}");
            return Task.CompletedTask;
        };
    }

    static byte[] SecretOf(GatewaySettings settings, IConfiguration configuration)
    {
        var secret = settings.GatewaySecret;
        if (secret.Length == 0)
        {
            var file = SecretFile(configuration);
            if (!File.Exists(file)) Write(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));
            secret = File.ReadAllText(file).Trim();
        }
        return secret.Length >= Signature.MinimumSecretLength
            ? Encoding.UTF8.GetBytes(secret)
            : throw new InvalidSettingException(
                $"{Settings.Prefix}GATEWAY_SECRET has {secret.Length} characters. Allowed: " +
                $"{Signature.MinimumSecretLength} or more, or none for a generated secret.");
    }

    static string SecretFile(IConfiguration configuration) =>
        Path.GetFullPath(Path.Combine(configuration["DATA"] is { Length: > 0 } data ? data : "./data", "gateway.secret"));

    static void Write(string file, string secret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new StreamWriter(file, options);
        stream.WriteLine(secret);
    }

    static Uri AddressOf(string webhook) =>
        Uri.TryCreate(webhook, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new InvalidSettingException(
                "WEBHOOK", webhook, "an address such as https://shop.example.com/api/v1/webhooks/http");
}
